package harness

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"

	"gopkg.in/yaml.v3"
)

// Settings are Latchkey's settings as a user writes them in YAML.
type Settings map[string]any

// With is a copy of s in which the setting at a path such as "session", "cookie", "secure" has the value that comes last.
func (s Settings) With(pathAndValue ...any) Settings {
	copied := Settings{}
	for k, v := range s {
		copied[k] = v
	}
	key := pathAndValue[0].(string)
	if len(pathAndValue) == 2 {
		copied[key] = pathAndValue[1]
		return copied
	}
	inner, _ := copied[key].(Settings)
	copied[key] = inner.With(pathAndValue[1:]...)
	return copied
}

// Dynamic is what Traefik's file provider is told: middlewares of the plugin, routers, and services by their URL.
type Dynamic struct {
	Middlewares map[string]Settings
	Routers     map[string]Router
	Services    map[string]string
	// Plugins says by name of which plugin a middleware is, where it is not Latchkey's.
	Plugins map[string]string
}

// Router is one of Traefik's, on the plain entry point and on the TLS one.
type Router struct {
	Rule        string   `yaml:"rule"`
	Service     string   `yaml:"service"`
	Middlewares []string `yaml:"middlewares,omitempty"`
	Priority    int      `yaml:"priority,omitempty"`
}

// markerPriority is above that of any rule, whose priority is its length.
const markerPriority = 1_000_000

// markerStatus is what Traefik's noop service answers.
const markerStatus = http.StatusTeapot

func markerHost(generation int) string { return fmt.Sprintf("generation-%d.invalid", generation) }

// render is the file for d. Besides d it has a router for a host named after the generation:
// when that host answers on an entry point, the entry point has the new configuration.
func (d Dynamic) render(generation int) ([]byte, error) {
	middlewares := map[string]any{}
	for name, settings := range d.Middlewares {
		plugin := cmp.Or(d.Plugins[name], pluginName)
		middlewares[name] = map[string]any{"plugin": map[string]any{plugin: settings}}
	}
	services := map[string]any{}
	for name, url := range d.Services {
		services[name] = map[string]any{"loadBalancer": map[string]any{"servers": []any{map[string]any{"url": url}}}}
	}
	host := markerHost(generation)
	routers := map[string]Router{
		fmt.Sprintf("generation-%d", generation): {Rule: "Host(`" + host + "`)", Service: "noop@internal", Priority: markerPriority},
	}
	for name, router := range d.Routers {
		routers[name] = router
	}
	http := map[string]any{"routers": routers}
	if len(middlewares) > 0 {
		http["middlewares"] = middlewares
	}
	if len(services) > 0 {
		http["services"] = services
	}
	file, err := yaml.Marshal(map[string]any{"http": http})
	if err != nil {
		return nil, fmt.Errorf("render dynamic configuration: %w", err)
	}
	// The file provider takes its file for a Go template.
	return bytes.ReplaceAll(file, []byte("{{"), []byte("{{`{{`}}")), nil
}
