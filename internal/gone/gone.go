// Package gone tells an endpoint that is gone, and may be elsewhere by now,
// from one that is in trouble.
package gone

import (
	"errors"
	"net"
	"net/http"
)

// Err says that nobody listens at an address, or that what listens there
// knows nothing of what is asked for.
var Err = errors.New("endpoint gone")

// Status says whether a status tells that the endpoint is not there (RFC 9110,
// 15.5.5, 15.5.6, 15.5.11). All endpoints that are asked are there for anybody,
// so none of these is an answer of theirs.
func Status(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusGone
}

// Unreached says whether a request of an http.Client failed before there was a
// connection: a name that is not known, a port where nobody listens, a host that
// is away. So nothing was sent.
//
// net.OpError is compiled, so errors.As may look for it. An assertion may not: the
// interpreter panics at an error that is an empty struct, such as a deadline's.
func Unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
