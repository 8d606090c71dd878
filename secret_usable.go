package latchkey

import (
	"errors"
	"regexp"
	"strings"
)

const (
	// minSecret is the length of the shortest secret that seals.
	minSecret = 32
	// minLetters is how many different characters one has. Of 32 random digits, the
	// least of all alphabets in use, one in ten million has fewer.
	minLetters = 6
	// maxPeriod bounds the length of a text that is said again and again.
	maxPeriod = 12
)

var (
	errShortSecret = errors.New("is shorter than 32 bytes; make one with openssl rand -base64 48, and mind that Traefik splits a text at its commas")
	errPlaceholder = errors.New("is a placeholder, which everybody knows; make one with openssl rand -base64 48")
)

// usableSecrets is an error for secrets that everybody could guess. All of its
// checks pass whatever a random generator gives, in any alphabet: a test asks
// 20,000 of them.
func usableSecrets(values []string) error {
	for _, value := range values {
		if len(value) < minSecret {
			return errShortSecret
		}
		if placeholder(value) {
			return errPlaceholder
		}
	}
	return nil
}

// placeholderWords are those of texts that stand where a secret is to be put,
// without what separates words. A word of eight letters is in one of 10^10 random
// texts. Words that a passphrase may have, such as "secret", are not among them.
var placeholderWords = regexp.MustCompile(`changeme|changethis|changeit|replaceme|replacethis|replacewith|replaceby|placeholder|` +
	`yoursecret|yourown|yourlong|yourrandom|yourvery|putyour|insertyour|enteryour|opensslrand|examplesecret|secretexample|exampleonly|` +
	`secrethere|secretgoes|goeshere|defaultsecret|dummysecret|samplesecret|examplekey|randomstring|randombytes|randomsecret|` +
	`randomvalue|generatea|generateme|generatewith|withopenssl|donotuse|usearandom|usealong|fillmein|fillthisin|pleasechange|` +
	`tobereplaced|tobechanged|loremipsum|000102030405|00112233445566|aaecawqfbgc|oqinaroshte9tczknam|secretsecret|passwordpassword|` +
	`thisisnota|notasecret|notsosecret|atleast32|xxxxxxxx|1234567890|0987654321|abcdefghij|qwertyuiop|asdfghjkl`)

// separators are what placeholders have between words.
var separators = regexp.MustCompile(`[\s_.:,;!/+-]+`)

// reference is a variable or template that nobody has put a secret in place of.
var reference = regexp.MustCompile(`^(?:\$\{.*\}|\$\(.*\)|\{\{.*\}\}|<.*>|\[.*\]|%.*%|\$[A-Za-z_][A-Za-z0-9_]*)$`)

func placeholder(value string) bool {
	return repeated(value) || reference.MatchString(value) ||
		placeholderWords.MatchString(separators.ReplaceAllString(strings.ToLower(value), ""))
}

// repeated says whether a text is of few characters, or says something short
// again and again.
func repeated(value string) bool {
	seen := map[string]bool{}
	for _, letter := range strings.Split(value, "") {
		seen[letter] = true
	}
	if len(seen) < minLetters {
		return true
	}
	for period := 1; period <= maxPeriod; period++ {
		if value[period:] == value[:len(value)-period] {
			return true
		}
	}
	return false
}
