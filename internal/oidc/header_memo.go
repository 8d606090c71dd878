package oidc

import "sync"

const (
	maxMemo   = 256 // headers; an issuer writes one for each of its keys
	maxHeader = 1024
)

// headerMemo holds, by their encoded form, the headers of tokens whose signature
// was right, so that each is decoded once and not for every token. Nobody who
// cannot sign adds to it; what is in it is never changed.
type headerMemo struct {
	mu      sync.RWMutex
	headers map[string]map[string]interface{}
}

var knownHeaders = &headerMemo{headers: map[string]map[string]interface{}{}}

// get returns the header that the text stands for, or nil.
func (m *headerMemo) get(text string) map[string]interface{} {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.headers[text]
}

func (m *headerMemo) learn(text string, header map[string]interface{}) {
	if len(text) > maxHeader {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.headers) >= maxMemo {
		m.headers = map[string]map[string]interface{}{}
	}
	m.headers[text] = header
}
