// Package casbinadapter joins roster and Casbin.
package casbinadapter
