package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/mitchellh/mapstructure"
	"github.com/traefik/paerser/file"
	"gopkg.in/yaml.v3"

	"github.com/latchkey-auth/latchkey"
)

// config decodes the settings as Traefik does. Without a config, the mistakes
// are those of decoding. With standIns, secrets that are elsewhere are not
// looked at.
func (s section) config(standIns bool) (config *latchkey.Config, mistakes []string) {
	settings, err := s.provided()
	if err != nil {
		return nil, []string{err.Error()}
	}
	mistakes = s.resolve(settings, standIns)
	config = latchkey.CreateConfig()
	// As Traefik's pkg/plugins/middlewareyaegi.go.
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		DecodeHook:       mapstructure.StringToSliceHookFunc(","),
		WeaklyTypedInput: true,
		Result:           config,
	})
	if err != nil {
		return nil, []string{err.Error()}
	}
	err = decoder.Decode(settings)
	var several *mapstructure.Error
	switch {
	case errors.As(err, &several):
		for _, text := range several.Errors {
			mistakes = append(mistakes, decodeMistake(text))
		}
		slices.Sort(mistakes)
		return nil, mistakes
	case err != nil:
		return nil, append(mistakes, err.Error())
	}
	return config, mistakes
}

// provided are the settings as the provider hands them over: that of files
// makes texts of all values, that of Kubernetes reads JSON.
func (s section) provided() (map[string]any, error) {
	if _, isMap := s.settings.(map[string]any); !isMap && s.settings != nil {
		return nil, errors.New("the plugin's section is not a map of settings")
	}
	given := s.settings
	if !s.kubernetes {
		content, err := yaml.Marshal(map[string]any{"plugin": map[string]any{"it": s.settings}})
		if err != nil {
			return nil, fmt.Errorf("read the settings: %w", err)
		}
		var middleware struct{ Plugin map[string]map[string]any }
		if err := file.DecodeContent(string(content), ".yml", &middleware); err != nil {
			return nil, fmt.Errorf("read the settings: %w", err)
		}
		given = middleware.Plugin["it"]
	}
	content, err := json.Marshal(given)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	settings := map[string]any{}
	if err := json.Unmarshal(content, &settings); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return settings, nil
}

// urn begins the name of a Kubernetes secret. Traefik puts its value there
// before the plugin sees it, and only in Kubernetes resources.
const urn = "urn:k8s:secret:"

// resolve puts stand-ins, if asked for, in place of secrets that are elsewhere,
// and notes those that cannot be had outside of the cluster.
func (s section) resolve(settings map[string]any, standIns bool) (mistakes []string) {
	eachText(settings, "", func(setting, text string) string {
		isURN := strings.HasPrefix(text, urn)
		switch {
		case isURN && !s.kubernetes:
			mistakes = append(mistakes, fmt.Sprintf("%s: %q is looked up in Kubernetes resources alone; write env:NAME or file:/path", setting, text))
		case isURN && !standIns:
			mistakes = append(mistakes, fmt.Sprintf("%s: %q is known in the cluster alone", setting, text))
		case !isURN && !(standIns && isElsewhere(setting, text)):
			return text
		}
		return standIn(setting, text)
	})
	return mistakes
}

// isElsewhere says that the setting's text names an environment variable or a
// file that has the value.
func isElsewhere(setting, text string) bool {
	switch strings.ToLower(setting) {
	case "secret", "provider.clientsecret", "redis.password":
		return strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:")
	case "provider.cacert", "redis.tls.cacert":
		return strings.HasPrefix(text, "file:")
	}
	return false
}

// standIn is long enough for any secret, and another one for another source. No
// certificate is as good as one that nothing is asked of.
func standIn(setting, text string) string {
	if strings.HasSuffix(strings.ToLower(setting), "cacert") {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// eachText replaces, in place, the texts in the settings, each of a list apart.
func eachText(v any, setting string, replace func(setting, text string) string) any {
	switch v := v.(type) {
	case string:
		if !strings.EqualFold(setting, "secret") {
			return replace(setting, v)
		}
		parts := strings.Split(v, ",")
		for i := range parts {
			parts[i] = replace(setting, parts[i])
		}
		return strings.Join(parts, ",")
	case []any:
		for i := range v {
			v[i] = eachText(v[i], setting, replace)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			v[key] = eachText(v[key], strings.TrimPrefix(setting+"."+key, "."), replace)
		}
	}
	return v
}

var (
	cannotParse   = regexp.MustCompile(`(?s)^cannot parse '([^']*)' as (\w+): .*?parsing ("(?:[^"\\]|\\.)*")`)
	unconvertible = regexp.MustCompile(`(?s)^'([^']*)' expected type '([^']*)', got unconvertible type '([^']*)'`)
	expectedMap   = regexp.MustCompile(`(?s)^'([^']*)' expected a map, got '([^']*)'`)
)

// decodeMistake says what mapstructure says in the words of the settings, and
// without the value where that could be a secret's.
func decodeMistake(text string) string {
	if m := cannotParse.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s: %s is not %s", settingName(m[1]), m[3], plainType(m[2]))
	}
	if m := unconvertible.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s: is %s, and must be %s", settingName(m[1]), plainType(m[3]), plainType(m[2]))
	}
	if m := expectedMap.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%s: is %s, and must be a map of settings", settingName(m[1]), plainType(m[2]))
	}
	return text
}

// plainType is Go's type in words.
func plainType(name string) string {
	switch {
	case strings.HasPrefix(name, "map"):
		return "a map"
	case strings.HasPrefix(name, "[]"), name == "slice":
		return "a list"
	case name == "string":
		return "a text"
	case name == "bool":
		return "true or false"
	case name == "int":
		return "a whole number"
	case strings.HasPrefix(name, "float"):
		return "a number"
	}
	return name
}

// settingName is the setting that a path of fields such as Session.Cookie.Name
// stands for.
func settingName(path string) string {
	names := strings.Split(path, ".")
	t := reflect.TypeOf(latchkey.Config{})
	for i, name := range names {
		name, index, indexed := strings.Cut(name, "[")
		if t.Kind() != reflect.Struct {
			break
		}
		field, found := t.FieldByName(name)
		if !found {
			break
		}
		names[i] = field.Tag.Get("json")
		t = field.Type
		if indexed {
			names[i] += "[" + index
			t = t.Elem()
		}
	}
	return strings.Join(names, ".")
}
