package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// configuration is what a file has that concerns Latchkey: a dynamic
// configuration of Traefik's file provider, or Kubernetes resources.
type configuration struct {
	path        string
	sections    []section
	others      []string // plugins that middlewares have besides ours
	routers     []router
	middlewares map[string]bool // all that the file declares, by name
	problems    []problem       // what keeps Traefik from reading the file as it looks
}

// section is one Latchkey middleware.
type section struct {
	file, name string
	kubernetes bool
	settings   any // as the file has them, usually a map
}

// router is one that names its middlewares.
type router struct {
	name        string
	middlewares []string
}

// problem is one mistake of a file, or of one of its middlewares.
type problem struct {
	File       string `json:"file"`
	Middleware string `json:"middleware"` // "": the file's own
	Problem    string `json:"problem"`
}

func (p problem) String() string {
	if p.Middleware == "" {
		return p.File + ": " + p.Problem
	}
	return p.File + ": middleware " + p.Middleware + ": " + p.Problem
}

// stdinName reads YAML from standard input.
const stdinName = "-"

// readConfiguration reads a file. The error says that it cannot be had, or is
// not of a kind that Traefik reads; mistakes in it are its problems.
func readConfiguration(path, plugin string, stdin io.Reader) (*configuration, error) {
	c := &configuration{path: path, middlewares: map[string]bool{}}
	extension := strings.ToLower(filepath.Ext(path))
	if path == stdinName {
		extension = ".yml"
	}
	if !slices.Contains([]string{".yml", ".yaml", ".json", ".toml"}, extension) {
		return nil, fmt.Errorf("%s: neither YAML (.yml, .yaml) nor TOML (.toml), by its name", path)
	}
	content, err := readAll(path, stdin)
	if err != nil {
		return nil, failed(err)
	}
	documents, problems := parse(content, extension)
	templates := bytes.Contains(content, []byte("{{"))
	if templates && (len(problems) > 0 || slices.ContainsFunc(documents, isDynamic)) {
		c.add("line %d has {{: Traefik runs Go templates over the file, and this command does not; give it what comes out of them",
			lineAt(content, bytes.Index(content, []byte("{{"))))
		return c, nil
	}
	for _, p := range problems {
		c.add("%s", p)
	}
	c.takeDocuments(documents, plugin)
	return c, nil
}

func readAll(path string, stdin io.Reader) ([]byte, error) {
	if path == stdinName {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}

// add notes a problem of the file as a whole.
func (c *configuration) add(format string, args ...any) {
	c.problems = append(c.problems, problem{File: c.path, Problem: fmt.Sprintf(format, args...)})
}

// isDynamic tells a document of the file provider from a Kubernetes resource.
func isDynamic(document map[string]any) bool {
	return document["kind"] == nil || document["apiVersion"] == nil
}

func (c *configuration) takeDocuments(documents []map[string]any, plugin string) {
	for i, document := range documents {
		switch {
		case !isDynamic(document):
			c.takeResource(document, plugin)
		case i > 0:
			c.add("document %d of the file: Traefik reads the first one alone", i+1)
		default:
			c.takeDynamic(document, plugin)
		}
	}
}

// takeDynamic takes what the file provider would.
func (c *configuration) takeDynamic(document map[string]any, plugin string) {
	http := child(document, "http")
	middlewares := child(http, "middlewares")
	for _, name := range sortedKeys(middlewares) {
		c.middlewares[name] = true
		c.takePlugins(section{file: c.path, name: name}, child(child(middlewares, name), "plugin"), plugin)
	}
	routers := child(http, "routers")
	for _, name := range sortedKeys(routers) {
		c.routers = append(c.routers, router{name: name, middlewares: texts(value(child(routers, name), "middlewares"))})
	}
}

// takeResource takes what a Kubernetes resource, or a list of them, has.
func (c *configuration) takeResource(resource map[string]any, plugin string) {
	for _, item := range items(resource["items"]) {
		c.takeResource(item, plugin)
	}
	version, _ := resource["apiVersion"].(string)
	if resource["kind"] != "Middleware" || !strings.HasPrefix(version, "traefik.") {
		return
	}
	metadata := child(resource, "metadata")
	name, _ := metadata["name"].(string)
	if namespace, _ := metadata["namespace"].(string); namespace != "" {
		name = namespace + "/" + name
	}
	c.takePlugins(section{file: c.path, name: name, kubernetes: true}, child(child(resource, "spec"), "plugin"), plugin)
}

// takePlugins takes the section of the plugin from a middleware.
func (c *configuration) takePlugins(s section, plugins map[string]any, plugin string) {
	for _, name := range sortedKeys(plugins) {
		if name != plugin {
			c.others = append(c.others, name)
			continue
		}
		s.settings = plugins[name]
		c.sections = append(c.sections, s)
	}
}

// value is that of a key, which Traefik finds in any case of letters.
func value(m map[string]any, key string) any {
	if v, found := m[key]; found {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

// child is the map at a key; nil where there is none.
func child(m map[string]any, key string) map[string]any {
	v, _ := value(m, key).(map[string]any)
	return v
}

func items(v any) []map[string]any {
	var maps []map[string]any
	elements, _ := v.([]any)
	for _, e := range elements {
		if m, ok := e.(map[string]any); ok {
			maps = append(maps, m)
		}
	}
	return maps
}

// texts are those of a list, or of one text with commas.
func texts(v any) []string {
	var found []string
	switch v := v.(type) {
	case string:
		for _, text := range strings.Split(v, ",") {
			found = append(found, strings.TrimSpace(text))
		}
	case []any:
		for _, e := range v {
			if text, ok := e.(string); ok {
				found = append(found, text)
			}
		}
	}
	return found
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
