#!/bin/sh
# Makes a CA, and certificates for etcd, for etcd's user root and for each proxy, to try a fleet with mTLS:
#
#   deploy/fleet/certificates.sh FOLDER PROXY...
#
# FOLDER gets NAME.pem and NAME.key each. Certificates that are there stay. A company's own CA does the same: etcd's certificate
# needs the DNS names and addresses under which it is reached; a proxy's certificate needs its name as the common name.
set -eu
folder=$1
shift
umask 077
mkdir -p "$folder"
cd "$folder"

if [ ! -f ca.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=fleet CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.pem 2>/dev/null
fi

# NAME EXTENSIONS: one certificate of the CA.
issue() {
  [ ! -f "$1.pem" ] || return 0
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf '%s\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile "$1.ext" \
    -out "$1.pem" 2>/dev/null
  rm "$1.csr" "$1.ext"
}

issue etcd "subjectAltName=DNS:etcd.internal,DNS:localhost,IP:127.0.0.1
extendedKeyUsage=serverAuth,clientAuth"
for user in root "$@"; do issue "$user" "extendedKeyUsage=clientAuth"; done
