package main

import "strings"

// field is a header.
type field struct{ name, value string }

// browser is what a browser sends with every navigation.
var browser = []field{
	{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},
	{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"},
	{"Accept-Language", "en-GB,en;q=0.9,de;q=0.8"},
	{"Accept-Encoding", "gzip, deflate, br, zstd"},
	{"Sec-Fetch-Dest", "document"},
	{"Sec-Fetch-Mode", "navigate"},
	{"Sec-Fetch-Site", "same-origin"},
	{"Sec-Fetch-User", "?1"},
	{"Upgrade-Insecure-Requests", "1"},
	{"Cache-Control", "max-age=0"},
}

// request is a GET.
type request struct {
	url    string // of an entry point
	path   string
	fields []field
}

// navigation is what a browser sends to a router, with a credential.
func navigation(url, router string, credential ...field) request {
	fields := append([]field{}, browser...)
	return request{url: url, path: "/" + router + "/ok", fields: append(fields, credential...)}
}

// script is what a script in a page sends to a path: where a navigation would be led to a login, it gets 401.
func script(url, path string, credential field) request {
	return request{url: url, path: path, fields: []field{
		browser[0],
		{"Accept", "application/json"},
		{"Sec-Fetch-Dest", "empty"},
		{"Sec-Fetch-Mode", "cors"},
		{"Sec-Fetch-Site", "same-origin"},
		credential,
	}}
}

// address is the entry point's, as net.Dial takes it.
func (r request) address() string {
	return strings.Replace(strings.TrimPrefix(r.url, "http://"), "localhost", "127.0.0.1", 1)
}

// bytes is the request as it goes over the wire.
func (r request) bytes() []byte {
	var b strings.Builder
	b.WriteString("GET " + r.path + " HTTP/1.1\r\nHost: " + strings.TrimPrefix(r.url, "http://") + "\r\n")
	for _, f := range r.fields {
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}
