package claims

import "strings"

// isScope says whether a claim of that name holds scopes: scope (RFC 8693, section
// 4.2; RFC 9068, section 2.2.3), or scp, as some providers call it.
func isScope(name string) bool { return name == "scope" || name == "scp" }

// Scopes reads a claim of scopes as the list that it stands for: a text has spaces
// between them (RFC 6749, section 3.3), a list has one in each element. No scope
// has a space in it, so an element with some is several. A value that is neither is
// returned as it is.
func Scopes(claim interface{}) interface{} {
	if text, ok := claim.(string); ok {
		return appendScopes([]interface{}{}, text)
	}
	list, ok := claim.([]interface{})
	if !ok {
		return claim
	}
	scopes := []interface{}{}
	for _, element := range list {
		scopes = appendElement(scopes, element)
	}
	return scopes
}

// appendElement is a function of its own because of Yaegi, where a failed assertion
// in a loop leaves the value of the last turn.
func appendElement(scopes []interface{}, element interface{}) []interface{} {
	if text, ok := element.(string); ok {
		return appendScopes(scopes, text)
	}
	return append(scopes, element)
}

func appendScopes(scopes []interface{}, text string) []interface{} {
	for _, scope := range strings.Split(text, " ") {
		if scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}
