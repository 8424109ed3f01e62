// The page of repositories. It speaks to the registry as every client does, at /v2/, and is known by its session.

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const message = document.querySelector("#message");

/** Throws what the registry says is wrong. */
async function ask(path, options = {}) {
  const response = await fetch(path, options);
  if (response.ok) return response;
  if (response.status === 401) location.assign("/login");
  const errorBody = await response.json().catch(() => undefined);
  throw new Error(errorBody?.errors?.[0]?.message ?? `the response is ${response.status}`);
}

/** The names of all repositories that the user may pull, page by page. */
async function* repositories() {
  let next = "/v2/_catalog?n=50";
  while (next !== undefined) {
    const response = await ask(next);
    yield (await response.json()).repositories;
    next = /<([^>]+)>; *rel="?next/.exec(response.headers.get("link") ?? "")?.[1];
  }
}

async function tagsOf(repository) {
  const { tags } = await (await ask(`/v2/${repository}/tags/list`)).json();
  return `${repository} has the tags ${(tags ?? []).join(", ") || "(none)"}`;
}

async function copyTag(repository, tag, copy) {
  const manifest = await ask(`/v2/${repository}/manifests/${tag}`, { headers: { accept: manifestTypes } });
  await ask(`/v2/${repository}/manifests/${copy}`, {
    method: "PUT",
    headers: { "content-type": manifest.headers.get("content-type") },
    body: await manifest.arrayBuffer(),
  });
  return `${repository}:${tag} is now ${repository}:${copy} as well`;
}

async function deleteTag(repository, tag) {
  const head = await ask(`/v2/${repository}/manifests/${tag}`, { method: "HEAD", headers: { accept: manifestTypes } });
  await ask(`/v2/${repository}/manifests/${head.headers.get("docker-content-digest")}`, { method: "DELETE" });
  return `what was ${repository}:${tag} is deleted`;
}

function button(label, allowed, action) {
  const element = document.createElement("button");
  element.textContent = label;
  element.disabled = !allowed;
  if (!allowed) element.title = "You may not do this here";
  element.addEventListener("click", async () => {
    message.textContent = "…";
    message.textContent = await action().catch((error) => `Failed: ${error.message}`);
  });
  return element;
}

function field(label, value) {
  const element = document.createElement("input");
  element.ariaLabel = label;
  element.value = value;
  return element;
}

function row(repository, may) {
  const tag = field("Tag", "latest");
  const copy = field("New tag", "");
  copy.disabled = !may.push;
  const cells = [
    repository,
    tag,
    button("Show tags", may.pull, () => tagsOf(repository)),
    copy,
    button("Copy", may.push, () => copyTag(repository, tag.value, copy.value)),
    button("Delete", may.delete, () => deleteTag(repository, tag.value)),
  ];
  const element = document.createElement("tr");
  element.dataset.repository = repository;
  for (const content of cells) {
    const cell = document.createElement("td");
    cell.append(content);
    element.append(cell);
  }
  return element;
}

try {
  for await (const names of repositories()) {
    const query = new URLSearchParams(names.map((name) => ["repository", name]));
    const permissions = await (await ask(`/permissions?${query}`)).json();
    document.querySelector("#repositories").append(...names.map((name) => row(name, permissions[name])));
  }
  message.textContent = "These are all.";
} catch (error) {
  message.textContent = `Failed: ${error.message}`;
}
