package latchkey

import "strings"

// browserName makes of a User-Agent header what a person knows a browser by, such
// as "Firefox on Linux". Of what is no browser the first word stays: curl/8.5.0.
func browserName(agent string) string {
	if !strings.HasPrefix(agent, "Mozilla/") {
		name, _, _ := strings.Cut(agent, " ")
		return name
	}
	browser := firstIn(agent, [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}, "A browser")
	system := firstIn(agent, [][2]string{
		{"Android", " on Android"}, {"iPhone", " on an iPhone"}, {"iPad", " on an iPad"}, {"Windows", " on Windows"},
		{"Mac OS X", " on a Mac"}, {"CrOS", " on ChromeOS"}, {"Linux", " on Linux"},
	}, "")
	return browser + system
}

// firstIn is the name of the first mark that the text has.
func firstIn(text string, marks [][2]string, otherwise string) string {
	for _, mark := range marks {
		if strings.Contains(text, mark[0]) {
			return mark[1]
		}
	}
	return otherwise
}
