package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mitchellh/mapstructure"
	"github.com/traefik/paerser/parser"

	"github.com/latchkey-auth/latchkey"
	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// pluginName is the name that the documents give the plugin.
const pluginName = "latchkey"

// dynamicConfiguration is what the tests need of Traefik's.
type dynamicConfiguration struct {
	HTTP struct {
		Routers     map[string]*router     `yaml:"routers"`
		Middlewares map[string]*middleware `yaml:"middlewares"`
	} `yaml:"http"`
}

type router struct {
	Rule        string   `yaml:"rule"`
	EntryPoints []string `yaml:"entryPoints"`
	Middlewares []string `yaml:"middlewares"`
}

type middleware struct {
	Plugin map[string]map[string]any `yaml:"plugin"`
}

// The labels of the Compose file become settings that New accepts.
func TestReadmeLabels(t *testing.T) {
	t.Parallel()
	var compose struct {
		Services struct {
			Traefik struct {
				Command     []string          `yaml:"command"`
				Environment map[string]string `yaml:"environment"`
				Volumes     []string          `yaml:"volumes"`
			} `yaml:"traefik"`
			App struct {
				Labels map[string]string `yaml:"labels"`
			} `yaml:"app"`
		} `yaml:"services"`
	}
	unmarshal(t, readDocument(t, "README.md").marked(t, "check: compose")[0].text, &compose)
	traefik := compose.Services.Traefik
	if want := "--experimental.localplugins." + pluginName + ".modulename=" + checkout.Module; !slices.Contains(traefik.Command, want) {
		t.Errorf("Traefik's command %q lacks %q", traefik.Command, want)
	}

	// As in Traefik's pkg/config/label.
	var dynamic dynamicConfiguration
	if err := parser.Decode(compose.Services.App.Labels, &dynamic, parser.DefaultRootName, "traefik.http"); err != nil {
		t.Fatal(err)
	}
	used := dynamic.HTTP.Routers["app"]
	if len(used.Middlewares) != 1 || dynamic.HTTP.Middlewares[used.Middlewares[0]] == nil {
		t.Fatalf("the router has the middlewares %q, want one of the labels' own", used.Middlewares)
	}
	settings := dynamic.HTTP.Middlewares[used.Middlewares[0]].Plugin[pluginName]
	resolve(settings, "env:", func(name string) string {
		if _, given := traefik.Environment[name]; !given {
			t.Errorf("Traefik's environment has no %s", name)
		}
		return secretText
	})
	resolve(settings, "file:", func(path string) string {
		if !slices.ContainsFunc(traefik.Volumes, func(v string) bool { return strings.Contains(v, ":"+path+":") }) {
			t.Errorf("Traefik's volumes lack %s", path)
		}
		return secretText
	})
	accepted(t, settings)

	// The two ways to write a list, a map, and a boolean.
	config := decode(t, settings)
	if !slices.Equal(config.Provider.Scopes, []string{"openid", "profile", "email", "groups"}) {
		t.Errorf("scopes are %q", config.Provider.Scopes)
	}
	if !slices.Equal(config.Public, []string{"/healthz", "/assets/"}) {
		t.Errorf("public is %q", config.Public)
	}
	if len(config.Forward.Headers) != 1 || config.Forward.Headers["X-Auth-Request-User"] != "preferred_username" {
		t.Errorf("forward.headers is %q", config.Forward.Headers)
	}
	if config.Bearer.Enabled {
		t.Error("bearer tokens are enabled")
	}
}

// decode does what Traefik does with a middleware's settings (pkg/plugins/middlewareyaegi.go).
func decode(t *testing.T, settings map[string]any) *latchkey.Config {
	t.Helper()
	config := latchkey.CreateConfig()
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		DecodeHook:       mapstructure.StringToSliceHookFunc(","),
		WeaklyTypedInput: true,
		Result:           config,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := decoder.Decode(settings); err != nil {
		t.Fatal(err)
	}
	return config
}

// accepted makes a middleware of the settings.
func accepted(t *testing.T, settings map[string]any) http.Handler {
	t.Helper()
	handler, err := latchkey.New(t.Context(), http.NotFoundHandler(), decode(t, settings), "documents")
	if err != nil {
		t.Fatalf("%v\n%v", err, settings)
	}
	return handler
}

// secretText stands for what the environment, a file or Kubernetes has; it is long enough for a secret.
const secretText = "the text of a secret that is elsewhere"

// minimal are settings with nothing but what is required.
func minimal() map[string]any {
	return map[string]any{
		"provider": map[string]any{"issuer": "https://id.example.com", "clientID": "portal"},
		"secret":   secretText,
		"bearer":   map[string]any{"enabled": false},
	}
}

// resolve replaces, in place, every text that begins with the prefix.
func resolve(settings map[string]any, prefix string, value func(name string) string) {
	for name := range settings {
		settings[name] = resolved(settings[name], prefix, value)
	}
}

func resolved(setting any, prefix string, value func(name string) string) any {
	switch s := setting.(type) {
	case string:
		if name, found := strings.CutPrefix(s, prefix); found {
			return value(name)
		}
	case []any:
		for i := range s {
			s[i] = resolved(s[i], prefix, value)
		}
	case map[string]any:
		resolve(s, prefix, value)
	}
	return setting
}

// withSecrets replaces, in place, what is in the environment or in a file, and returns the settings.
func withSecrets(settings map[string]any) map[string]any {
	resolve(settings, "env:", func(string) string { return secretText })
	resolve(settings, "file:", func(string) string { return secretText })
	return settings
}
