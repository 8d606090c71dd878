package e2e

import "time"

// tokenStreams is how many WebSockets, and how many event streams, of either token are open, half at each replica.
const tokenStreams = 20

// The streams that a secret opened end with it, on every replica, and no others do.
func (f *fleet) tokenStreamsEnd(p *person) {
	revoked, rotated, stays := f.create(0, p, "revoked"), f.create(1, p, "rotated"), f.create(1, p, "stays")
	first, second, third := f.openWith(revoked), f.openWith(rotated), f.openWith(stays)
	f.stay(first, "the token to be revoked")
	f.stay(second, "the token to be rotated")

	began := time.Now()
	f.revokeToken(0, p, revoked)
	f.end(first, began, "the revoked token")
	f.stay(second, "another token")

	began = time.Now()
	f.rotate(1, p, rotated)
	f.end(second, began, "the rotated token")
	f.stay(third, "a token that nothing happened to")
	for i := range f.Traefiks {
		if _, err := f.openSocket(i, "X-Api-Key", revoked.credential); err == nil {
			f.t.Errorf("replica %d let a new WebSocket of the revoked token through", i)
		}
	}
}

// openWith opens streams of either kind with a token, at the replicas in turn.
func (f *fleet) openWith(t apiToken) []*stream {
	f.t.Helper()
	opened := make([]*stream, 2*tokenStreams)
	err := side(8, len(opened), func(i int) error {
		var err error
		if i < tokenStreams {
			opened[i], err = f.openSocket(i%len(f.Traefiks), "X-Api-Key", t.credential)
		} else {
			opened[i], err = f.openEvents(i%len(f.Traefiks), "Authorization", "Bearer "+t.credential)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return opened
}
