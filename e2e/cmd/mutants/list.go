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

	refresh     = "refresh"
	backchannel = "back-channel logout"
	redisGroup  = "Redis"
	denial      = "denial of service"
)

var groups = []string{smuggling, paths, jwtKeys, parsing, claims, login, targets, cookies, caches, endpoints, backchannel, refresh, redisGroup, denial}

func mutants() []mutant {
	return slices.Concat(
		smugglingMutants, valueMutants, pathMutants,
		keyMutants, signatureMutants, parsingMutants, bodyMutants,
		registeredMutants, kindMutants, idTokenMutants,
		loginMutants, flowMutants, discoveryMutants, targetMutants,
		cookieMutants, sealMutants, sessionMutants,
		verdictMutants, passMutants, policyMutants, endpointMutants, pageMutants,
		refreshMutants, coordinatorMutants, leaseMutants, grantMutants, logoutMutants,
		indexMutants, logMutants, revocationMutants, streamMutants, storeMutants,
		redisMutants, breakerMutants, replyMutants, serverMutants, denialMutants,
	)
}
