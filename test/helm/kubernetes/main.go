// Holds manifests against the types of Kubernetes, of the Gateway API and of the Prometheus operator, as their API servers
// do with strict field validation: a document of an unknown kind, an unknown or repeated field and a value of the wrong type
// are faults. YAML on standard input, faults on standard output, one a line; exit code 1 where there are any.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

func main() {
	faults, documents, err := check(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for _, fault := range faults {
		fmt.Println(fault)
	}
	fmt.Fprintf(os.Stderr, "%d documents\n", documents)
	if len(faults) > 0 {
		os.Exit(1)
	}
}

func check(input io.Reader) (faults []string, documents int, err error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{kubernetes.AddToScheme, gateway.Install, monitoring.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, 0, err
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	reader := utilyaml.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return faults, documents, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if isEmpty(document) {
			continue
		}
		documents++
		if _, _, err := decoder.Decode(document, nil, nil); err != nil {
			faults = append(faults, fmt.Sprintf("document %d: %s", documents, strings.ReplaceAll(err.Error(), "\n", " ")))
		}
	}
}

// Whether there is nothing but comments.
func isEmpty(document []byte) bool {
	for _, line := range strings.Split(string(document), "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed != "" && trimmed != "---" && !strings.HasPrefix(trimmed, "#") {
			return false
		}
	}
	return true
}
