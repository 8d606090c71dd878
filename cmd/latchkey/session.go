package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// errNoSessions says why none can be reached.
var errNoSessions = errors.New("sessions can be reached in Redis alone, and these settings have no redis.addresses")

func sessionCommand(o *options) *cobra.Command {
	return o.storeFlags(group("session", "List and end people's sessions",
		`A session is the login of a person in one browser. Those of middlewares that
share a Redis can be listed and ended; without one, they are in the browsers'
cookies or in the memory of Traefik, out of this command's reach.`,
		`  latchkey session list --config dynamic.yml --user alice
  latchkey session end --config dynamic.yml --user alice --all`,
		sessionListCommand(o), sessionEndCommand(o)))
}

func sessionListCommand(o *options) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "list --user SUB",
		Short: "List a user's sessions",
		Long: `List shows the sessions of a user, a subject of the provider. Times are in UTC.

It changes nothing. A session that was sealed with a secret which these settings
do not have is listed by its id and its end only, and is an error.`,
		Example: `  latchkey session list --config dynamic.yml --user alice`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.openShared(cmd)
			if err != nil {
				return err
			}
			sessions, unread := s.Sessions(cmd.Context(), user)
			if unread != nil && len(sessions) == 0 {
				return refused(unread)
			}
			if o.json {
				return errors.Join(writeJSON(cmd.OutOrStdout(), list(sessions)), refused(unread))
			}
			var rows [][]string
			for _, i := range sessions {
				rows = append(rows, []string{i.ID, timestamp(i.Since, ""), timestamp(i.Until, ""), i.Address, i.Agent})
			}
			table := writeTable(cmd.OutOrStdout(), []string{"ID", "SINCE", "UNTIL", "ADDRESS", "AGENT"}, rows)
			return errors.Join(table, refused(unread))
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "the subject whose sessions (required)")
	_ = cmd.MarkFlagRequired("user")
	return cmd
}

func sessionEndCommand(o *options) *cobra.Command {
	var user string
	var all bool
	cmd := &cobra.Command{
		Use:   "end {ID | --all} --user SUB",
		Short: "End one of a user's sessions, or all",
		Long: `End ends a session, or with --all every session that is known of the user, on
every replica. Open WebSockets and event streams end with it. The user may log in
again. An id that begins with a dash goes behind "--".`,
		Example: `  latchkey session end --config dynamic.yml --user alice -- -2bQX0Cn3lWkYxQvP9dRtg
  latchkey session end --config dynamic.yml --user alice --all`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return errors.New("give the id of a session, or --all")
			}
			s, err := o.openShared(cmd)
			if err != nil {
				return err
			}
			ended := 1
			if all {
				ended, err = s.EndSessions(cmd.Context(), user, "")
			} else {
				err = s.EndSession(cmd.Context(), user, args[0])
			}
			if err != nil {
				return refused(err)
			}
			if o.json {
				return writeJSON(cmd.OutOrStdout(), map[string]int{"sessions": ended})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ended %s\n", count(ended, "session"))
			return failed(err)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "the subject whose sessions (required)")
	cmd.Flags().BoolVar(&all, "all", false, "all of them")
	_ = cmd.MarkFlagRequired("user")
	return cmd
}

// openShared is open for a store that has sessions.
func (o *options) openShared(cmd *cobra.Command) (*store, error) {
	s, err := o.open(cmd.Context(), cmd.InOrStdin())
	if err == nil && !s.shared() {
		return nil, failed(errNoSessions)
	}
	return s, err
}
