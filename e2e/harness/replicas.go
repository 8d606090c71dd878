package harness

import (
	"context"
	"errors"
	"sync"
)

// Replicas is a site with several Traefiks before it that have the same configuration. They know of one another only
// what they share: the secret, the provider, and a Redis if the configuration names one.
type Replicas struct {
	*Site
	// Traefiks are the replicas; the first is the Site's own.
	Traefiks []*Traefik
}

// StartReplicas is StartSite with n Traefiks, started side by side.
func StartReplicas(ctx context.Context, n int, provider ProviderOptions, traefik TraefikOptions, configure func(*Site) Dynamic) (*Replicas, error) {
	site, err := newSite(provider)
	if err != nil {
		return nil, err
	}
	r := &Replicas{Site: site, Traefiks: make([]*Traefik, n)}
	dynamic := configure(site)
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { r.Traefiks[i], errs[i] = StartTraefik(ctx, traefik, dynamic) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		r.Stop()
		return nil, err
	}
	site.Traefik = r.Traefiks[0]
	for _, t := range r.Traefiks {
		site.allow(t)
	}
	return r, nil
}

// Stop ends whatever runs.
func (r *Replicas) Stop() {
	for _, t := range r.Traefiks {
		if t != nil && t != r.Site.Traefik {
			t.Stop()
		}
	}
	r.Site.Stop()
}
