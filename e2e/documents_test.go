package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-auth/latchkey"
	"github.com/latchkey-auth/latchkey/e2e/checkout"
)

// The README lists every setting with its default, and nothing else.
func TestReadmeDefaults(t *testing.T) {
	t.Parallel()
	text := readDocument(t, "README.md").marked(t, "check: defaults")[0].text
	// An empty map is none to Traefik's file provider, so those without a default are comments.
	text = replace(t, text, "# authParams: none", "authParams: {}")
	text = replace(t, text, "# scopes: none", "scopes: {}")
	var written map[string]any
	unmarshal(t, text, &written)

	config := latchkey.CreateConfig()
	// The defaults of lists and maps cannot stand in CreateConfig.
	config.Provider.Scopes = []string{"openid", "profile", "email"}
	config.Forward.Headers = map[string]string{
		"X-Auth-Request-User": "sub", "X-Auth-Request-Email": "email", "X-Auth-Request-Groups": "groups",
	}
	defaults := settingsOf(config)
	if got, want := sorted(paths("", written, defaults)), sorted(defaults); !slices.Equal(got, want) {
		t.Errorf("the README lists %q, want %q", got, want)
	}
	issuer := regexp.MustCompile(`issuers: \[\] # \{(.*?)\}`).FindStringSubmatch(text)
	if issuer == nil || issuer[1] != strings.Join(fieldNames(latchkey.IssuerConfig{}), ", ") {
		t.Errorf("the README gives an issuer %q, want %q", issuer, fieldNames(latchkey.IssuerConfig{}))
	}

	withSecrets(written)
	accepted(t, written)
	got := settingsOf(decode(t, written))
	for _, required := range []string{"provider.issuer", "provider.clientID", "secret", "bearer.audiences"} {
		delete(defaults, required) // the README has an example
	}
	for path, want := range defaults {
		if fmt.Sprint(got[path]) != fmt.Sprint(want) {
			t.Errorf("the README gives %s the default %v, want %v", path, got[path], want)
		}
	}
}

// docs/settings.md has a line for every setting, and for nothing else, and a default that is a word is the right one.
func TestSettingsDocument(t *testing.T) {
	t.Parallel()
	defaults := settingsOf(latchkey.CreateConfig())
	for _, name := range fieldNames(latchkey.IssuerConfig{}) {
		defaults["bearer.issuers[]."+name] = ""
	}
	described := map[string]bool{}
	document := readDocument(t, "docs/settings.md")
	for _, section := range strings.Split(document.text, "\n## ")[1:] {
		prefix := regexp.MustCompile(`^\w+`).FindString(section) + "."
		for _, row := range rows(section) {
			path, isSetting := strings.CutPrefix(row[0], "`")
			if !isSetting {
				continue
			}
			path = strings.Trim(path, "`")
			if _, exists := defaults[path]; !exists {
				path = prefix + path
			}
			described[path] = true
			switch value := defaults[path].(type) {
			case string, bool, int:
				if says := code(row[2]); value != "" && (len(says) == 0 || says[0] != fmt.Sprint(value)) {
					t.Errorf("%s gives %s the default %q, want %v", document.path, path, row[2], value)
				}
			}
		}
	}
	if got, want := sorted(described), sorted(defaults); !slices.Equal(got, want) {
		t.Errorf("%s describes\n%q, want\n%q", document.path, got, want)
	}
}

// Every piece of configuration in the documents is one that New accepts.
func TestDocumentedSettings(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"README.md", "docs/settings.md", "docs/api-tokens.md", "docs/delegation.md"} {
		for _, b := range readDocument(t, path).blocks {
			switch b.mark {
			case "check: settings":
				settings := minimal()
				delete(settings, "bearer")
				unmarshal(t, b.text, &settings)
				accepted(t, withSecrets(settings))
			case "check: bare":
				var settings map[string]any
				unmarshal(t, b.text, &settings)
				accepted(t, withSecrets(settings))
			case "check: dynamic":
				var dynamic dynamicConfiguration
				unmarshal(t, b.text, &dynamic)
				for _, middleware := range dynamic.HTTP.Middlewares {
					if settings := middleware.Plugin[pluginName]; settings != nil {
						accepted(t, withSecrets(settings))
					}
				}
			case "check: static":
				var static struct {
					Experimental struct {
						Plugins map[string]struct {
							ModuleName string `yaml:"moduleName"`
							Version    string `yaml:"version"`
						} `yaml:"plugins"`
					} `yaml:"experimental"`
				}
				unmarshal(t, b.text, &static)
				if p := static.Experimental.Plugins[pluginName]; p.ModuleName != checkout.Module || p.Version == "" {
					t.Errorf("%s declares the plugin as %+v", path, p)
				}
			}
		}
	}
}

// The README's examples of rules are rules.
func TestDocumentedRules(t *testing.T) {
	t.Parallel()
	readme := readDocument(t, "README.md")
	var rules []string
	for _, row := range rows(readme.section(t, "The rule language"))[1:] {
		rules = append(rules, code(row[0])...)
	}
	for _, b := range readme.blocks {
		if b.section == "The rule language" {
			rules = append(rules, strings.TrimSpace(b.text))
		}
	}
	if len(rules) < 6 {
		t.Fatalf("found %q, want the five functions and an example", rules)
	}
	for _, rule := range rules {
		settings := minimal()
		settings["authorize"] = rule
		accepted(t, settings)
	}
}

// docs/operations.md describes the metrics that there are.
func TestDocumentedMetrics(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	settings := minimal()
	settings["redis"] = map[string]any{"addresses": []any{"127.0.0.1:1"}}
	settings["delegate"] = map[string]any{"kind": "notebook"}
	accepted(t, settings).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/oauth2/metrics", nil))
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		names[m[1]] = true
	}
	described := map[string]bool{}
	for _, row := range rows(readDocument(t, "docs/operations.md").section(t, "Status and metrics")) {
		for _, metric := range code(row[0]) {
			name, _, _ := strings.Cut(metric, "{")
			described[name] = true
		}
	}
	if got, want := sorted(described), sorted(names); !slices.Equal(got, want) {
		t.Errorf("docs/operations.md describes\n%q, want\n%q", got, want)
	}
}

// The README's table of answers has all reason codes of challenge.go.
func TestDocumentedReasons(t *testing.T) {
	t.Parallel()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, "challenge.go"))
	if err != nil {
		t.Fatal(err)
	}
	var codes, described []string
	for _, m := range regexp.MustCompile(`= errors\.New\("(\w+)"\)`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, m[1])
	}
	for _, row := range rows(readDocument(t, "README.md").section(t, "Answers")) {
		described = append(described, code(row[0])...)
	}
	slices.Sort(codes)
	slices.Sort(described)
	if !slices.Equal(described, codes) {
		t.Errorf("the README explains %q, want %q", described, codes)
	}
}

// paths are the settings that a configuration gives, by their paths. What is in known is not looked into.
func paths(prefix string, written map[string]any, known map[string]any) map[string]bool {
	found := map[string]bool{}
	for name, value := range written {
		inner, isSection := value.(map[string]any)
		if _, isSetting := known[prefix+name]; isSetting || !isSection {
			found[prefix+name] = true
			continue
		}
		for path := range paths(prefix+name+".", inner, known) {
			found[path] = true
		}
	}
	return found
}

// settingsOf lists a configuration's settings by their paths, such as session.cookie.name.
func settingsOf(config *latchkey.Config) map[string]any {
	settings := map[string]any{}
	flatten("", reflect.ValueOf(*config), settings)
	return settings
}

func flatten(prefix string, section reflect.Value, into map[string]any) {
	for i := range section.NumField() {
		name, field := section.Type().Field(i).Tag.Get("json"), section.Field(i)
		switch {
		case name == "-":
		case field.Kind() == reflect.Struct:
			flatten(prefix+name+".", field, into)
		default:
			into[prefix+name] = field.Interface()
		}
	}
}

// fieldNames are the names of a section's settings, as they are declared.
func fieldNames(section any) []string {
	var names []string
	for i := range reflect.TypeOf(section).NumField() {
		if name := reflect.TypeOf(section).Field(i).Tag.Get("json"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func sorted[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
