package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/latchkey-auth/latchkey/e2e/process"
)

// install has a program at hand: the Debian package of that name is installed if it is missing, and if apt-get may.
func install(ctx context.Context, program string) error {
	_, missing := exec.LookPath(program)
	if missing == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return missing
	}
	say("installing %s", program)
	cmd := exec.CommandContext(ctx, "apt-get", "install", "-q", "-y", "--no-install-recommends", program)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := process.Run(cmd); err != nil {
		return fmt.Errorf("install %s: %w", program, err)
	}
	return nil
}

// findRedis fails at once where a row needs a redis-server and there is none, not minutes later.
func (o options) findRedis(ctx context.Context) error {
	if !o.needsRedis() {
		return nil
	}
	if err := install(ctx, "redis-server"); err != nil {
		return fmt.Errorf("rows with Redis, which -only could leave out: %w", err)
	}
	return nil
}

func (o options) needsRedis() bool {
	rows := o.chosen((&bench{options: o}).rows())
	return slices.ContainsFunc(rows, func(r row) bool { return r.stage.redis }) ||
		slices.ContainsFunc(append(slices.Clone(storms), lagRow), o.wanted)
}
