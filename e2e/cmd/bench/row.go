package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	against    []string   // the rows that it is compared with
}

// credential returns the header that a request proves itself by.
type credential func(context.Context, *scene) (field, error)

// rows are all rows, those that are compared with others after them.
//
// empty-cookie and empty-bearer send what session and bearer send: the difference between them and empty is what
// Traefik itself takes to read the longer request and to pass it on.
func (b *bench) rows() []row {
	crowd := stage{name: "identities", identities: b.identities, routers: 1}
	many := stage{name: "routers", routers: b.routers}
	all := []row{
		{name: bareRow, router: "bare"},
		{name: emptyRow, router: "empty", against: []string{bareRow}},
		{name: "empty-cookie", router: "empty", credential: session, against: []string{bareRow, emptyRow}},
		{name: "empty-bearer", router: "empty", credential: bearer, against: []string{bareRow, emptyRow}},
		{name: "session", router: "latchkey", credential: session, user: "alice", against: []string{bareRow, emptyRow, "empty-cookie"}},
		{name: "bearer", router: "latchkey", credential: bearer, user: "alice", against: []string{bareRow, emptyRow, "empty-bearer"}},
	}
	for _, name := range []string{"session", "bearer"} {
		same := all[slices.IndexFunc(all, func(r row) bool { return r.name == name })]
		same.against = []string{bareRow, emptyRow, name}
		same.name, same.stage = fmt.Sprintf("%s-%d-identities", name, b.identities), crowd
		all = append(all, same)
		same.name, same.stage = fmt.Sprintf("%s-%d-routers", name, b.routers), many
		all = append(all, same)
	}
	return all
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
	return strings.Join(append(all, "start", "memory-session", "memory-bearer", "first-sight-RS256", "first-sight-ES256"), ", ")
}

func (o options) wanted(name string) bool { return o.only.MatchString(name) }
