package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func userCommand(o *options) *cobra.Command {
	return o.storeFlags(group("user", "End everything of a user",
		"A user is a subject of the provider, who has sessions and API tokens.",
		"  latchkey user end --config dynamic.yml alice", userEndCommand(o)))
}

func userEndCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "end SUB",
		Short: "End a user's sessions, and delete their API tokens",
		Long: `End ends all sessions of a user, has the access tokens refused that were issued to
them so far, and deletes their API tokens. The user may log in again, unless the
provider refuses: lock the account there first.

Without a Redis only the API tokens are in reach; with --config that is a failure.`,
		Example: `  latchkey user end --config dynamic.yml alice`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			sessions, tokens, err := s.EndUser(cmd.Context(), args[0])
			if err != nil {
				return refused(err)
			}
			if o.json {
				err = writeJSON(cmd.OutOrStdout(), map[string]int{"sessions": sessions, "tokens": tokens})
			} else {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "ended %s, revoked %s\n", count(sessions, "session"), count(tokens, "API token"))
			}
			if err == nil && s.config.Provider.Issuer != "" && !s.shared() {
				err = errNoSessions
			}
			return failed(err)
		},
	}
}
