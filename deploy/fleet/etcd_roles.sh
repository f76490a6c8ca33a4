#!/bin/sh
# Makes the users and roles of a fleet in etcd, and switches authentication on:
#
#   deploy/fleet/etcd_roles.sh PROXY...
#
# Each PROXY is a fleet.name and the common name of that proxy's certificate. It reads the fleet's part of etcd, and writes its own
# keys and the named decisions. Run it again for more proxies. etcdctl must reach etcd, later as the user root:
#
#   ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 ETCDCTL_CACERT=ca.pem ETCDCTL_CERT=root.pem ETCDCTL_KEY=root.key
#
# ETCDCTL is the command itself if it is another one, such as one in a container. PREFIX is fleet.prefix if that is not the one
# of the cache "default".
set -eu
etcdctl=${ETCDCTL:-etcdctl}
prefix=${PREFIX:-/tls_session_cache/1/default}
export ETCDCTL_API=3

# A command that makes something which may be there already.
make() {
  output=$($etcdctl "$@" 2>&1) && return 0
  case $output in
  *"already exists"* | *"already enabled"*) ;;
  *)
    printf '%s\n' "$output" >&2
    return 1
    ;;
  esac
}

make user add root --no-password
make user grant-role root root
for proxy in "$@"; do
  role="tls-session-cache-$proxy"
  make role add "$role"
  make role grant-permission "$role" --prefix=true read "$prefix/"
  make role grant-permission "$role" --prefix=true write "$prefix/d/$proxy/"
  make role grant-permission "$role" --prefix=true write "$prefix/s/$proxy/"
  make role grant-permission "$role" write "$prefix/p/$proxy"
  make role grant-permission "$role" --prefix=true write "$prefix/n/"
  make role grant-permission "$role" write "$prefix/meta"
  # No password: a certificate alone logs it in.
  make user add "$proxy" --no-password
  make user grant-role "$proxy" "$role"
done
make auth enable
