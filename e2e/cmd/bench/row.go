package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/latchkey-auth/latchkey/e2e/harness"
)

// The rows that all others are compared with.
const (
	bareRow  = "bare"
	emptyRow = "empty"
)

// row is a kind of request that is measured: who sends what to which router, and what the upstream must get of it.
type row struct {
	name       string
	stage      stage
	router     string     // one of scene.dynamic
	credential credential // nil: none
	user       string     // that the upstream is told of; "": nobody
	service    string     // that the upstream gets a token for; "": none
	against    []string   // the rows that it is compared with
	beside     beside     // nil: nothing
}

// credential returns the header that a request proves itself by.
type credential func(context.Context, *scene) (field, error)

// beside readies what goes on while there is load on a row, which the function that it returns then does.
type beside func(context.Context, *bench, *harness.Traefik, time.Duration) (func() error, error)

// rows are all rows, those that are compared with others after them.
//
// empty-cookie, empty-id, empty-bearer and empty-api-token send what session, session-redis, bearer and api-token send:
// the difference between them and empty is what Traefik itself takes to read the longer request and to pass it on. The
// goal for session, session-redis, bearer and api-token is 0.85 of the empty plugin's requests/s, and for
// session-delegate 0.80.
func (b *bench) rows() []row {
	crowd := stage{name: "identities", identities: b.identities, routers: 1}
	many := stage{name: "routers", routers: b.routers}
	manyTokens := stage{name: "many-api-tokens", apiTokens: b.apiTokens}
	all := []row{
		{name: bareRow, router: "bare"},
		{name: emptyRow, router: "empty", against: []string{bareRow}},
		{name: "empty-cookie", router: "empty", credential: session, against: []string{bareRow, emptyRow}},
		{name: "empty-id", stage: redisStage, router: "empty", credential: sessionID, against: []string{bareRow, emptyRow}},
		{name: "empty-bearer", router: "empty", credential: bearer, against: []string{bareRow, emptyRow}},
		{name: "empty-api-token", stage: apiTokenStage, router: "empty", credential: bearerAPIToken, against: []string{bareRow, emptyRow}},
		{name: "session", router: "latchkey", credential: session, user: "alice", against: []string{bareRow, emptyRow, "empty-cookie"}},
		{name: "session-redis", stage: redisStage, router: "latchkey", credential: sessionID, user: "alice", against: []string{bareRow, emptyRow, "empty-id"}},
		{name: "bearer", router: "latchkey", credential: bearer, user: "alice", against: []string{bareRow, emptyRow, "empty-bearer"}},
		{name: "api-token", stage: apiTokenStage, router: "latchkey", credential: bearerAPIToken, user: "alice", against: []string{bareRow, emptyRow, "empty-api-token"}},
		{name: "api-key", stage: apiTokenStage, router: "latchkey", credential: apiKey, user: "alice", against: []string{bareRow, emptyRow, "api-token"}},
	}
	for _, name := range []string{"session", "bearer"} {
		same := all[slices.IndexFunc(all, func(r row) bool { return r.name == name })]
		same.against = []string{bareRow, emptyRow, name}
		same.name, same.stage = fmt.Sprintf("%s-%d-identities", name, b.identities), crowd
		all = append(all, same)
		same.name, same.stage = fmt.Sprintf("%s-%d-routers", name, b.routers), many
		all = append(all, same)
	}
	return append(all, row{
		name: fmt.Sprintf("api-token-%d-tokens", b.apiTokens), stage: manyTokens, router: "latchkey", credential: bearerAPIToken, user: "alice",
		against: []string{bareRow, emptyRow, "api-token"},
	}, row{
		name: "session-revoking", stage: stage{name: "revoking"}, router: "latchkey", credential: session, user: "alice",
		against: []string{bareRow, emptyRow, "session"}, beside: logouts,
	}, row{
		name: "session-delegate", stage: delegateStage, router: "latchkey", credential: session, user: "alice", service: delegateService,
		against: []string{bareRow, emptyRow, "session"},
	})
}

// chosen are the rows that the options ask for, and those that they are compared with.
func (o options) chosen(all []row) []row {
	wanted := map[string]bool{}
	for _, r := range slices.Backward(all) {
		if wanted[r.name] = wanted[r.name] || o.wanted(r.name); !wanted[r.name] {
			continue
		}
		for _, base := range r.against {
			wanted[base] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(r row) bool { return !wanted[r.name] })
}

// names are those that the option -only chooses from.
func names(o options) string {
	var all []string
	for _, r := range (&bench{options: o}).rows() {
		all = append(all, r.name)
	}
	all = append(all, "start", swapRow, "memory-session", "memory-bearer", "first-sight-RS256", "first-sight-ES256")
	all = append(all, storms...)
	return strings.Join(append(all, lagRow, costsRow), ", ")
}

func (o options) wanted(name string) bool { return o.only.MatchString(name) }
