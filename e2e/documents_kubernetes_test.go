package e2e

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/latchkey-auth/latchkey"
	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// resource is what the tests need of a Kubernetes resource.
type resource struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	StringData map[string]string `yaml:"stringData"`
	Spec       struct {
		Plugin map[string]map[string]any `yaml:"plugin"`
		Routes []struct {
			Middlewares []struct {
				Name string `yaml:"name"`
			} `yaml:"middlewares"`
		} `yaml:"routes"`
	} `yaml:"spec"`
}

// kubernetesResources are the README's Kubernetes resources, by kind.
func kubernetesResources(t *testing.T) map[string]resource {
	t.Helper()
	resources := map[string]resource{}
	decoder := yaml.NewDecoder(strings.NewReader(readDocument(t, "README.md").marked(t, "check: kubernetes")[0].text))
	for {
		var r resource
		err := decoder.Decode(&r)
		if errors.Is(err, io.EOF) {
			return resources
		}
		if err != nil {
			t.Fatal(err)
		}
		resources[r.Kind] = r
	}
}

// helmValues are what the tests need of those that the README gives to Traefik's Helm chart.
type helmValues struct {
	Experimental struct {
		Plugins map[string]struct {
			ModuleName string `yaml:"moduleName"`
			Version    string `yaml:"version"`
		} `yaml:"plugins"`
	} `yaml:"experimental"`
	Volumes []struct {
		Name      string `yaml:"name"`
		MountPath string `yaml:"mountPath"`
		Type      string `yaml:"type"`
	} `yaml:"volumes"`
}

// mounted is the manifest's Middleware, in a cluster whose Secret has these keys: the files are in a folder of the test's
// instead of the one that the Helm values mount it at.
func mounted(t *testing.T, secret map[string]string) map[string]any {
	t.Helper()
	var values helmValues
	unmarshal(t, readDocument(t, "README.md").marked(t, "check: helm")[0].text, &values)
	resources := kubernetesResources(t)
	if plugin := values.Experimental.Plugins[pluginName]; plugin.ModuleName != checkout.Module || plugin.Version == "" {
		t.Errorf("the Helm values declare the plugin as %+v", plugin)
	}
	if len(values.Volumes) != 1 || values.Volumes[0].Type != "secret" || values.Volumes[0].Name != resources["Secret"].Metadata.Name {
		t.Fatalf("the Helm values mount %+v, want the Secret %q", values.Volumes, resources["Secret"].Metadata.Name)
	}
	folder := t.TempDir()
	for key, value := range secret {
		if err := os.WriteFile(filepath.Join(folder, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings := resources["Middleware"].Spec.Plugin[pluginName]
	resolve(settings, "file:", func(path string) string {
		key, under := strings.CutPrefix(path, values.Volumes[0].MountPath+"/")
		if _, exists := secret[key]; !under || !exists {
			t.Errorf("nothing is mounted at %s", path)
		}
		return "file:" + filepath.Join(folder, key)
	})
	return settings
}

// The Kubernetes resources name one another. The Middleware is accepted once the Secret has the user's values, and is
// refused, with the way to make one, while it has those of the README.
func TestReadmeKubernetes(t *testing.T) {
	t.Parallel()
	resources := kubernetesResources(t)
	edited := map[string]string{}
	for key := range resources["Secret"].StringData {
		edited[key] = secretText
	}
	accepted(t, mounted(t, edited))

	unedited := decode(t, mounted(t, resources["Secret"].StringData))
	_, err := latchkey.New(t.Context(), nil, unedited, "login")
	if err == nil || !strings.Contains(err.Error(), "secret: ") || !strings.Contains(err.Error(), "openssl rand -base64 48") {
		t.Errorf("the unedited manifest: error %v, want one that says how to make a secret", err)
	}

	login, routes := resources["Middleware"], resources["IngressRoute"].Spec.Routes
	if len(routes) != 1 || len(routes[0].Middlewares) != 1 || routes[0].Middlewares[0].Name != login.Metadata.Name {
		t.Errorf("the IngressRoute has %+v, want the middleware %q", routes, login.Metadata.Name)
	}
	annotation := login.Metadata.Namespace + "-" + login.Metadata.Name + "@kubernetescrd"
	if !strings.Contains(readDocument(t, "README.md").text, annotation) {
		t.Errorf("the annotation for an Ingress lacks %q", annotation)
	}
}
