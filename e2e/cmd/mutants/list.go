package main

import "slices"

// The kinds of attack, as in docs/security.md.
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

	apiTokens  = "API tokens"
	shadowFile = "shadow file"
	delegated  = "delegated tokens"

	refresh     = "refresh"
	backchannel = "back-channel logout"
	redisGroup  = "Redis"
	denial      = "denial of service"
)

var groups = []string{smuggling, paths, jwtKeys, parsing, claims, login, targets, cookies, caches, endpoints, apiTokens, shadowFile, delegated, backchannel, refresh, redisGroup, denial}

func mutants() []mutant {
	return slices.Concat(
		smugglingMutants, valueMutants, upgradeMutants, namesMutants, pathMutants,
		keyMutants, signatureMutants, parsingMutants, bodyMutants,
		registeredMutants, kindMutants, idTokenMutants,
		loginMutants, flowMutants, discoveryMutants, targetMutants,
		cookieMutants, sealMutants, sessionMutants,
		verdictMutants, passMutants, policyMutants, reloadMutants, errorMutants, endpointMutants, accountMutants, apiMutants, pageMutants, accountPageMutants,
		apiTokenMutants, apiKeyMutants, apiTokenPolicyMutants, tokenStateMutants, tokenRightsMutants,
		shadowReadMutants, shadowParseMutants, validateMutants, shadowLoadMutants, shadowWriteMutants, shadowLockMutants, shadowUsedMutants,
		delegateMutants, delegatedMutants, rightsMutants, lineageMutants, tokenTroubleMutants, tokenPlaceMutants,
		refreshMutants, coordinatorMutants, leaseMutants, grantMutants, logoutMutants,
		indexMutants, logMutants, revocationMutants, streamMutants, storeMutants,
		redisMutants, tokenStoreMutants, breakerMutants, replyMutants, misfitMutants, busyMutants, serverMutants, denialMutants,
		providerMutants,
		unreadableMutants, keyringMutants,
		clientMutants, refusalMutants,
	)
}
