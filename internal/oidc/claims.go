package oidc

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

const (
	leeway     = 60 * time.Second // for clocks that differ
	maxSubject = 255              // OIDC Core, 2
	maxSeconds = 253402300799     // the end of the year 9999
	maxList    = 256              // elements of a claim that is gone through
)

// controls are the code points that a subject must not have: it ends up in
// headers and logs. U+FFFD is what the JSON decoder made of a lone surrogate:
// with it, two subjects would be one.
var controls = regexp.MustCompile(`[\p{Cc}\x{FFFD}]`)

// checkRegistered checks the claims that every token of a provider has
// (RFC 7519, 4.1).
func (p *Provider) checkRegistered(claims map[string]interface{}) error {
	if err := p.checkIssuer(claims); err != nil {
		return err
	}
	if err := checkSubject(claims); err != nil {
		return err
	}
	return checkTimes(claims, p.now())
}

func (p *Provider) checkIssuer(claims map[string]interface{}) error {
	if iss, ok := claims["iss"].(string); !ok || iss != p.issuer {
		return refuse("iss", show(claims["iss"]), strconv.Quote(p.issuer))
	}
	return nil
}

func checkSubject(claims map[string]interface{}) error {
	sub, ok := claims["sub"].(string)
	if !ok || sub == "" || len(sub) > maxSubject || controls.MatchString(sub) {
		return refuse("sub", show(claims["sub"]), "1 to 255 bytes of text")
	}
	return nil
}

func checkTimes(claims map[string]interface{}, now time.Time) error {
	early, late := seconds(now.Add(-leeway)), seconds(now.Add(leeway))
	exp, present, err := numericDate(claims, "exp")
	if err != nil {
		return err
	}
	if !present || exp <= early {
		return refuse("exp", show(claims["exp"]), "a time after "+showSeconds(early))
	}
	for _, name := range []string{"nbf", "iat"} {
		at, present, err := numericDate(claims, name)
		if err != nil {
			return err
		}
		if present && at > late {
			return refuse(name, show(claims[name]), "a time up to "+showSeconds(late))
		}
	}
	return nil
}

// numericDate reads a NumericDate (RFC 7519, 2). One that is present is a number
// of the common era, or refused.
func numericDate(claims map[string]interface{}, name string) (float64, bool, error) {
	v, present := claims[name]
	if !present {
		return 0, false, nil
	}
	// JSON has no NaN, and the decoder refuses what a float64 cannot hold.
	s, ok := v.(float64)
	if !ok || s < 0 || s > maxSeconds {
		return 0, true, refuse(name, show(v), "a number of seconds")
	}
	return s, true, nil
}

func seconds(t time.Time) float64 {
	return float64(t.UnixNano()) / 1e9
}

// audiences reads aud: a string or a list of strings (RFC 7519, 4.1.3).
func audiences(claims map[string]interface{}) ([]string, error) {
	v := claims["aud"]
	if s, ok := v.(string); ok {
		return []string{s}, nil
	}
	list, ok := v.([]interface{})
	if !ok || len(list) > maxList {
		return nil, refuse("aud", show(v), "a string or a list of strings, at most "+strconv.Itoa(maxList))
	}
	out := stringsOf(v)
	if len(out) != len(list) {
		return nil, refuse("aud", show(v), "a string or a list of strings")
	}
	return out, nil
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// stringOf returns "" for what is no string. It is a function of its own because
// of Yaegi, where a failed x, ok = y.(T) leaves in x what was there before: in a
// loop, the value of the last turn.
func stringOf(v interface{}) string {
	s, _ := v.(string)
	return s
}

// show puts a value that somebody sent into a message.
func show(v interface{}) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		return quote(v)
	case float64:
		return showSeconds(v)
	case bool:
		return strconv.FormatBool(v)
	case []interface{}:
		return showList(v)
	}
	return "an object"
}

func showList(list []interface{}) string {
	const most = 16
	if len(list) > most {
		return "a list of " + strconv.Itoa(len(list))
	}
	return quote(fmt.Sprint(list))
}

func showSeconds(s float64) string {
	return strconv.FormatFloat(s, 'f', -1, 64)
}
