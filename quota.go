package latchkey

import (
	"fmt"
	"sync"
	"time"
)

const (
	// maxGiven is how many sessions and secrets of API tokens a user is given in a
	// day by one process. Each is one entry of the revocation log when it ends.
	maxGiven = 5000
	// quotaUsers bounds the users that are counted. With more, counting begins anew.
	quotaUsers = 100000
)

// quota counts what each user was given today. A login and a logout in a loop, or
// a token that is rotated in one, would fill the revocation log for everybody.
type quota struct {
	mu    sync.Mutex
	day   int64
	given map[string]int // by user
}

func newQuota() *quota { return &quota{given: map[string]int{}} }

// secondsOfDay is the length of a day, which begins at midnight UTC.
const secondsOfDay = 86400

// untilTomorrow is when counting begins anew, in seconds.
func untilTomorrow(now time.Time) int64 { return secondsOfDay - now.Unix()%secondsOfDay }

// take counts one more, and says whether the user may have it.
func (q *quota) take(user string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if day := now.Unix() / secondsOfDay; day != q.day || len(q.given) >= quotaUsers {
		q.day = day
		q.given = map[string]int{}
	}
	if q.given[user] >= maxGiven {
		return false
	}
	q.given[user]++
	return true
}

// grantOne refuses a user who was given too much today.
func (l *Latchkey) grantOne(user string) error {
	if l.quota.take(user, l.now()) {
		return nil
	}
	return fmt.Errorf("%w: %d sessions and secrets of API tokens in a day", errTooOften, maxGiven)
}
