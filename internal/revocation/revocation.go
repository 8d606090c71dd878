// Package revocation remembers what was revoked, on every replica.
//
//	key.go    what can be revoked, as a short hash
//	index.go  key -> not-before, in this process: asked for every credential
//	log.go    the same on all replicas, through a Redis Stream
//	reader.go the goroutine that reads it
//	page.go   many entries at once, read by compiled code
//	writer.go the goroutine that writes what could not be written, or what was lost
//	clock.go  which clock says when an entry is over
//
// A revocation puts an Entry into the Log. It counts in this process at once and
// goes to the stream, which every other process reads. An Index has a generation,
// which moves with each new entry: a verdict that was found clean at a generation
// is clean until it moves.
//
// A process keeps what it knows until it can no longer matter: a Redis that is
// flushed, or another one, brings nothing back, and is told what it lacks.
package revocation

import "errors"

// ErrUnavailable says that nobody here knows what other replicas have revoked:
// the log was not read that far yet, or not for longer than is tolerated.
var ErrUnavailable = errors.New("revocation log unavailable")

// Entry revokes what Key names: what was issued at or before At, or with Always
// whenever that was, by whatever clock.
type Entry struct {
	Key    Key
	At     int64 // Unix milliseconds
	Until  int64 // Unix seconds; after it the entry can no longer matter
	Always bool
}
