package soak

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	mixedFor = 40 * time.Second
	// mixedLife is that of access tokens, so that each session refreshes again and again.
	mixedLife = 6 * time.Second
	// more is what may be there afterwards of goroutines and of descriptors that was not before.
	more = 40
)

// Sessions whose tokens end again and again, strangers and forged headers, at both replicas, with memory
// for one and a half. Nothing is answered wrongly, no refresh token is used twice, and in the end nothing is left over.
func TestMixedTraffic(t *testing.T) {
	needed(t)
	d := startDrill(t, drillPlan{env: []string{"GOMEMLIMIT=150MiB"}})
	d.Provider.SetAccessTokenLifetime(mixedLife)
	people := d.logins(10)
	for _, k := range people {
		if err := d.everywhere(k, http.StatusOK); err != nil {
			t.Fatal(err)
		}
	}
	d.Provider.ResetGrants()
	before, descriptors := d.memory(0), d.descriptors(0)
	s, strangers := &score{}, &score{}
	stop := make(chan struct{})
	running := d.load(people, s, stop)
	d.strangers(strangers, stop, running)
	_ = sleep(t.Context(), mixedFor)
	close(stop)
	running.Wait()
	g := d.Provider.Grants()
	asker.CloseIdleConnections()
	var after, left = before, 0
	d.within(3*time.Minute, "goroutines and descriptors to be as before", func() error {
		after, left = d.memory(0), d.descriptors(0)
		if after.Goroutines > before.Goroutines+more || left > descriptors+more {
			return fmt.Errorf("%d goroutines, %d descriptors, before %d and %d", after.Goroutines, left, before.Goroutines, descriptors)
		}
		return nil
	})
	t.Log(table("|"+scoreColumns, "sessions|"+s.String(), "strangers|"+strangers.String()))
	t.Log(table("refreshes|refused|goroutines before|after|descriptors before|after|heap MiB before|after",
		fmt.Sprintf("%d|%d|%d|%d|%d|%d|%s|%s", g.Succeeded, g.Refused, before.Goroutines, after.Goroutines, descriptors, left, mib(before.HeapAlloc), mib(after.HeapAlloc))))
	s.good(t, "sessions")
	strangers.good(t, "strangers")
	if g.Succeeded == 0 || g.Refused > 0 {
		t.Errorf("%d refreshes, %d refused", g.Succeeded, g.Refused)
	}
}

// strangers ask with nothing, with garbage and with headers that are not theirs to send.
func (d *drill) strangers(s *score, stop <-chan struct{}, running *sync.WaitGroup) {
	for i := range d.Traefiks {
		for _, header := range [][2]string{
			{"Accept", "*/*"}, {"X-Auth-Request-User", "user-0"}, {"Authorization", "Bearer garbage"}, {"Cookie", "latchkey=garbage"},
		} {
			running.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
					a, err := d.ask(i, "/page", header[0], header[1])
					s.add(a, err, "", http.StatusUnauthorized)
				}
			})
		}
	}
}
