package main

import "slices"

// The groups of docs/security.md.
const (
	smuggling = "header smuggling"
	paths     = "public paths"
	jwtKeys   = "JWT keys"
	parsing   = "parsing"
	claims    = "claims"
	login     = "login"
	targets   = "return targets"
	cookies   = "cookies"
	caches    = "caches"
	endpoints = "endpoints"
)

var groups = []string{smuggling, paths, jwtKeys, parsing, claims, login, targets, cookies, caches, endpoints}

func mutants() []mutant {
	return slices.Concat(
		smugglingMutants, valueMutants, pathMutants,
		keyMutants, signatureMutants, parsingMutants, bodyMutants,
		registeredMutants, kindMutants, idTokenMutants,
		loginMutants, flowMutants, discoveryMutants, targetMutants,
		cookieMutants, sealMutants, sessionMutants,
		verdictMutants, passMutants, policyMutants, endpointMutants, pageMutants,
	)
}
