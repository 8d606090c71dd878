// Package apitoken keeps API tokens: credentials that a user makes for a
// program, and that are good until they expire or are revoked.
//
//	format.go      what a token looks like: lk_<id>_<secret><checksum>
//	token.go       Token, what is kept of one; which secrets open it; rotation
//	validate.go    the bounds of a Token
//	scope.go       what a scope may be
//	store.go       Store, the contract of what keeps them
//	file.go        File     the shadow file, for one machine
//	file_load.go            brought up to date when the file changes
//	file_read.go            read whole, or not at all
//	file_parse.go           its JSON
//	file_write.go           created, updated, deleted
//	file_queue.go           what waits for that, revocations first
//	file_replace.go         replaced whole, under the lock
//	file_lock.go            one writer at a time, among processes
//	file_used.go            when a token was used last
//	redis.go       Redis    for all replicas, sealed
//	redis_write.go          created, updated, deleted, under a lease
//	redis_index.go          who has which tokens
//	redis_used.go           when a token was used last
//
// A secret has 128 random bits, so one fast hash of it is kept: there is nothing
// to guess. The credential itself is shown once, when it is made, and is kept
// nowhere.
package apitoken
