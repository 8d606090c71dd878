package latchkey

import "testing"

func TestNearest(t *testing.T) {
	known := settingNames(CookieConfig{})
	for name, want := range map[string]string{
		"samesite": "sameSite", "same_site": "sameSite", "domian": "domain", "nam": "name", "secured": "secure", "paths": "path",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
