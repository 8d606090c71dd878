package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/latchkey-auth/latchkey"
)

func tokenCommand(o *options) *cobra.Command {
	return o.storeFlags(group("token", "Make, rotate, revoke and list API tokens",
		`An API token stands for its owner, a subject of the provider, and has scopes. It
is shown when it is made; what is stored is a hash, so nothing can show it again.`,
		`  latchkey token create --config dynamic.yml --owner ci
  latchkey token list --file tokens.json`,
		tokenCreateCommand(o), tokenRotateCommand(o), tokenRevokeCommand(o), tokenListCommand(o)))
}

// createdToken is a new credential in JSON.
type createdToken struct {
	Token string `json:"token"`
	latchkey.TokenInfo
}

func tokenCreateCommand(o *options) *cobra.Command {
	var n latchkey.NewToken
	var expires string
	cmd := &cobra.Command{
		Use:   "create --owner SUB",
		Short: "Make a token, and print it",
		Long: `Create makes a token and writes it, and nothing else, to standard output. This is
the only time that it can be seen.

--expires is a duration (90d, 12h), a date, which is its beginning in UTC, a time
(RFC 3339), or never. Scopes are given as they are: the rules of apiTokens.scopes
and apiTokens.maxLifetime are for people who make tokens for themselves.`,
		Example: `  latchkey token create --config dynamic.yml --owner alice --scope read:data --note "nightly build"
  TOKEN=$(latchkey token create --file /etc/latchkey/tokens.json --owner ci --expires 2027-01-31)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if n.Expires, err = parseExpiry(expires, time.Now()); err != nil {
				return err
			}
			s, err := o.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			info, credential, err := s.CreateToken(cmd.Context(), n)
			return errors.Join(writeCredential(cmd, o.json, info, credential, "it is not shown again"), refused(err))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&n.Owner, "owner", "", "the subject that the token stands for (required)")
	flags.StringArrayVar(&n.Scopes, "scope", nil, "a scope of the token; may be given several times")
	flags.StringVar(&n.Note, "note", "", "what it is for")
	flags.StringVar(&expires, "expires", "90d", "when it ends")
	_ = cmd.MarkFlagRequired("owner")
	return cmd
}

func tokenRotateCommand(o *options) *cobra.Command {
	var grace string
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give a token another secret, and print it",
		Long: `Rotate gives a token another secret and writes the token, and nothing else, to
standard output. Its id, owner, scopes and end stay. The old secret fails from
now on, or goes on for --grace, at most 7 days.`,
		Example: `  latchkey token rotate --config dynamic.yml 0123456789abcdef
  latchkey token rotate --config dynamic.yml --grace 1h 0123456789abcdef`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			overlap, err := parseDuration(grace)
			if err != nil {
				return fmt.Errorf("--grace: %w", err)
			}
			s, err := o.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			info, credential, err := s.RotateToken(cmd.Context(), args[0], overlap)
			old := "the old secret has ended; " + s.noticed()
			if overlap > 0 {
				old = "the old secret goes on for " + grace
			}
			return errors.Join(writeCredential(cmd, o.json, info, credential, old), refused(err))
		},
	}
	cmd.Flags().StringVar(&grace, "grace", "0s", "for how long the old secret goes on")
	return cmd
}

// writeCredential writes a credential, if there is one, and what to know about
// it.
func writeCredential(cmd *cobra.Command, asJSON bool, info latchkey.TokenInfo, credential, more string) error {
	if credential == "" {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "token %s of %s, expires: %s; %s\n", info.ID, printable(info.Owner), timestamp(info.Expires, "never"), more)
	if asJSON {
		return writeJSON(cmd.OutOrStdout(), createdToken{Token: credential, TokenInfo: info})
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), credential)
	return failed(err)
}

func tokenRevokeCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID...",
		Short: "Delete tokens",
		Long: `Revoke deletes tokens. They fail from now on, on every replica that shares the
Redis; of a shadow file, a running Traefik knows within apiTokens.checkEvery. One
that is not there is an error; the others are deleted all the same.`,
		Example: `  latchkey token revoke --config dynamic.yml 0123456789abcdef fedcba9876543210`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			var revoked []string
			var errs []error
			for _, id := range args {
				if err := s.RevokeToken(cmd.Context(), id); err != nil {
					errs = append(errs, failed(fmt.Errorf("%s: %w", id, refused(err))))
					continue
				}
				revoked = append(revoked, id)
			}
			if o.json {
				err = writeJSON(cmd.OutOrStdout(), map[string][]string{"revoked": list(revoked)})
			} else if len(revoked) > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "revoked %s; %s\n", strings.Join(revoked, ", "), s.noticed())
			}
			return errors.Join(append(errs, err)...)
		},
	}
}

func tokenListCommand(o *options) *cobra.Command {
	var owner string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens",
		Long: `List shows the tokens of an owner, or everybody's, the oldest first. Times are in
UTC. Last use is written down once a minute.

It changes nothing. Tokens in Redis that were sealed with a secret which these
settings do not have cannot be read: that is an error, beside those that can.`,
		Example: `  latchkey token list --config dynamic.yml
  latchkey token list --file tokens.json --owner ci --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			tokens, unread := s.Tokens(cmd.Context(), owner)
			if unread != nil && len(tokens) == 0 {
				return refused(unread)
			}
			if o.json {
				return errors.Join(writeJSON(cmd.OutOrStdout(), list(tokens)), refused(unread))
			}
			var rows [][]string
			for _, t := range tokens {
				rows = append(rows, []string{
					t.ID, t.Owner, strings.Join(t.Scopes, " "), t.Note,
					timestamp(t.Created, ""), timestamp(t.Expires, "never"), timestamp(t.LastUsed, "never"),
				})
			}
			table := writeTable(cmd.OutOrStdout(), []string{"ID", "OWNER", "SCOPES", "NOTE", "CREATED", "EXPIRES", "LAST USED"}, rows)
			return errors.Join(table, refused(unread))
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "only those of this subject")
	return cmd
}
