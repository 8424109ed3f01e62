// What makes the portal's pages handier. All of them work without it.

const announcer = document.createElement("p");
announcer.className = "hidden";
announcer.setAttribute("role", "status");
document.body.append(announcer);

/** Tells who reads by ear. */
function announce(text) {
  announcer.textContent = "";
  announcer.textContent = text;
}

/** Shows the buttons that copy, now that they can. */
function showCopyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

const copied = new Map();

/** Says on the button, for a moment, what has become of it. */
function say(button, text) {
  const known = copied.get(button) ?? { label: [...button.childNodes] };
  clearTimeout(known.timer);
  button.textContent = text;
  known.timer = setTimeout(() => {
    copied.delete(button);
    button.replaceChildren(...known.label);
  }, 2000);
  copied.set(button, known);
}

document.addEventListener("click", async ({ target }) => {
  const button = target instanceof Element ? target.closest("button[data-copy]") : null;
  if (button === null) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(button, "Copied");
    announce("Copied");
  } catch {
    // Browsers let pages copy by https, and on one's own machine, alone.
    const line = button.parentElement?.querySelector("code") ?? null;
    if (line !== null) getSelection()?.selectAllChildren(line);
    say(button, "Press Ctrl-C");
    announce("The line is selected: press Control and C");
  }
});

/** Searches as people type: the server makes the list, and it replaces the one that is shown. */
function searchLive(form) {
  const results = document.getElementById(form.dataset.live);
  const field = form.querySelector("input[type=search]");
  if (results === null || field === null) return;
  let timer;
  let asking = new AbortController();

  async function search() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const address = `${form.getAttribute("action")}?${new URLSearchParams(field.value === "" ? {} : { q: field.value })}`;
    results.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(address, { signal, redirect: "error" });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const found = page.getElementById(results.id);
      // The session has ended, or the list cannot be shown: the page itself says which.
      if (!response.ok || found === null) return location.assign(address);
      results.replaceChildren(...found.childNodes);
      showCopyButtons(results);
      history.replaceState(null, "", address);
      results.removeAttribute("aria-busy");
    } catch (error) {
      if (signal.aborted) return;
      results.removeAttribute("aria-busy");
      location.assign(address);
      throw error;
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 150);
  });
}

showCopyButtons(document);
for (const form of document.querySelectorAll("form[data-live]")) searchLive(form);
