package latchkey

import (
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"
)

// mistakes collects what is wrong with the settings, so that all of it is
// reported at once: the setting, its value and how to mend it.
type mistakes struct {
	list []string
}

// add notes a mistake. The value of a secret is never given.
func (m *mistakes) add(setting, format string, args ...interface{}) {
	m.list = append(m.list, setting+": "+fmt.Sprintf(format, args...))
}

// oneOf notes a value that is none of the allowed ones.
func (m *mistakes) oneOf(setting, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	m.add(setting, "%q is none of %s", value, strings.Join(allowed, ", "))
}

// err returns all that was noted, or nil.
func (m *mistakes) err() error {
	if len(m.list) == 0 {
		return nil
	}
	return errors.New(strings.Join(m.list, "; "))
}

// unknown notes the keys that no setting of the section has. Section is a
// struct such as Config, prefix the section's own name and a dot.
func (m *mistakes) unknown(prefix string, section interface{}, keys map[string]interface{}) {
	var names []string
	for key := range keys {
		names = append(names, key)
	}
	sort.Strings(names)
	known := settingNames(section)
	for _, name := range names {
		m.add(prefix+name, "unknown setting; the nearest is %s%s", prefix, nearest(name, known))
	}
}

func settingNames(section interface{}) []string {
	var names []string
	t := reflect.TypeOf(section)
	for i := 0; i < t.NumField(); i++ {
		if name := t.Field(i).Tag.Get("json"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// nearest returns the known name with the fewest letters to change.
func nearest(name string, known []string) string {
	best, fewest := "", 1<<30
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < fewest {
			best, fewest = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			if row[j]+1 < cost {
				cost = row[j] + 1
			}
			if row[j-1]+1 < cost {
				cost = row[j-1] + 1
			}
			row[j] = cost
		}
	}
	return row[len(b)]
}
