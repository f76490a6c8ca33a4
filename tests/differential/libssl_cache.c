/*
 * The session cache of a real libssl, driven from outside: reads operations, carries them out on one SSL_CTX, and writes
 * their results and the state of the cache. It has no knowledge of the filter.
 *
 *   libssl_cache REQUESTS ANSWERS ID...     two named pipes, and the session IDs (hex) of the slots 0, 1, ...
 *
 * Request, in int32 of this machine: the number of operations, then six for each: code, slot, a, b, c, flags.
 * Answer: the result of each operation; then number, hits, misses, timeouts, cache_full, the number of held sessions, and
 * five for each of these: slot, protocol (0 = TLS 1.2, 1 = TLS 1.1), time, timeout, 0.
 *
 * Sessions are SSL_SESSION objects with a set ID, cipher and master key. Lookups are whole TLS 1.2 handshakes with a plain
 * PSK cipher suite (RFC 4279: no asymmetric cryptography) over memory BIOs. The held sessions are read from the hash, which
 * counts nothing. Only the operation TIME moves the time: libssl calls time() and gettimeofday(), and both are defined here.
 *
 * Sessions have turns: of those with the same expiry, libssl evicts the one added least recently. Some operations must put
 * a session back, or add it again, and keep that order (KEEP_TURN, PUT_BACK). They restore the order by adding the same
 * objects again, one after another.
 *
 * cc -O2 -o libssl_cache libssl_cache.c -lssl -lcrypto         (OpenSSL 3.0 or later)
 */
#include <openssl/lhash.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { MAX_SLOTS = 1024, PROTOCOLS = 2, MAX_OPERATIONS = 2048, FIELDS = 6, HELD_FIELDS = 5, MASTER_KEY_LENGTH = 48 };

enum { NEW, TIME, ADD, REMOVE, FLUSH, SIZE, TIMEOUT, MODE, HANDSHAKE, PUT_BACK, TURN, HELD };

/* Flags of ADD. */
enum { SAME_OBJECT = 1, KEEP_TURN = 2 };

/* Flags of HANDSHAKE. */
enum {
  BROKEN_OFF = 1,  /* the client leaves after the server's first flight */
  UNCLEAN = 2,     /* the connection ends without close_notify */
  ELSEWHERE = 4,   /* the server requires another session ID context */
  EXTERNAL = 8,    /* the get callback finds the offered session */
  DO_NOT_STORE = 16, /* NO_INTERNAL_STORE for this handshake */
  KEEP = 32        /* puts back sessions that libssl drops: expired ones, and those of connections that end uncleanly */
};

/* Bits of the result of HANDSHAKE. Above them is the slot of the issued session ID, plus 1. */
enum { COMPLETED = 1, RESUMED = 2, KEPT_EXPIRED = 4, KEPT_UNCLEAN = 8, ISSUED_SHIFT = 8 };

struct entry {
  SSL_SESSION *object; /* the object that was added last */
  SSL_SESSION *probe;  /* an object with the same key, to look into the hash */
  long turn;
};

struct slot {
  unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
  unsigned int id_length;
  struct entry entries[PROTOCOLS];
  SSL_SESSION *client;
};

static struct slot slots[MAX_SLOTS];
static int slot_count;
static int32_t now_seconds = 1000000000;
static long last_turn;
static SSL_CTX *server_context;
static SSL_CTX *client_context;
static const SSL_CIPHER *cipher;
static const unsigned char cipher_bytes[2] = {0x00, 0xa8}; /* TLS_PSK_WITH_AES_128_GCM_SHA256 */
static const unsigned char master_key[MASTER_KEY_LENGTH] = {1, 2, 3};
static const int versions[PROTOCOLS] = {TLS1_2_VERSION, TLS1_1_VERSION};

/* For the callbacks of the current handshake. */
static int issued_slot;
static int external_slot;
static int keeping;
static int kept;

time_t time(time_t *result) {
  if (result != NULL) *result = now_seconds;
  return now_seconds;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
  (void)zone;
  result->tv_sec = now_seconds;
  result->tv_usec = 0;
  return 0;
}

static void fail(const char *what) {
  fprintf(stderr, "libssl_cache: %s\n", what);
  exit(3);
}

static void *must(void *made) {
  if (made == NULL) fail("out of memory");
  return made;
}

static SSL_SESSION *make_session(int slot, int protocol, long timeout) {
  SSL_SESSION *session = must(SSL_SESSION_new());
  if (!SSL_SESSION_set1_id(session, slots[slot].id, slots[slot].id_length) ||
      !SSL_SESSION_set1_master_key(session, master_key, MASTER_KEY_LENGTH) ||
      !SSL_SESSION_set_protocol_version(session, versions[protocol]) || !SSL_SESSION_set_cipher(session, cipher))
    fail("a session could not be made");
  SSL_SESSION_set_timeout(session, timeout);
  return session;
}

static SSL_SESSION *held(int slot, int protocol) {
  return OPENSSL_LH_retrieve((OPENSSL_LHASH *)SSL_CTX_sessions(server_context), slots[slot].entries[protocol].probe);
}

static long expiry(const SSL_SESSION *session) {
  return SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session);
}

/* Makes `object` the entry's object, and takes over the reference. */
static void own(struct entry *entry, SSL_SESSION *object) {
  if (entry->object != NULL && entry->object != object) SSL_SESSION_free(entry->object);
  entry->object = object;
}

static int add(SSL_SESSION *session, int keep_time) {
  const long mode = SSL_CTX_get_session_cache_mode(server_context);
  int result;
  if (keep_time) SSL_CTX_set_session_cache_mode(server_context, mode & ~SSL_SESS_CACHE_UPDATE_TIME);
  result = SSL_CTX_add_session(server_context, session);
  SSL_CTX_set_session_cache_mode(server_context, mode);
  return result;
}

/* Sorts the sessions of one expiry by their turns. */
static void restore_turns(long of_expiry) {
  long after = 0;
  for (;;) {
    struct entry *next = NULL;
    int slot, protocol;
    for (slot = 0; slot < slot_count; slot++)
      for (protocol = 0; protocol < PROTOCOLS; protocol++) {
        struct entry *entry = &slots[slot].entries[protocol];
        if (entry->object == NULL || entry->turn <= after || held(slot, protocol) != entry->object) continue;
        if (expiry(entry->object) == of_expiry && (next == NULL || entry->turn < next->turn)) next = entry;
      }
    if (next == NULL) return;
    after = next->turn;
    add(next->object, 1);
  }
}

static int add_session(int slot, int protocol, long timeout, int flags) {
  struct entry *entry = &slots[slot].entries[protocol];
  int result;
  if (flags & SAME_OBJECT) {
    if (entry->object == NULL || held(slot, protocol) != entry->object) fail("there is no object to add again");
  } else {
    own(entry, make_session(slot, protocol, timeout));
  }
  result = add(entry->object, 0);
  if (flags & KEEP_TURN) restore_turns(expiry(entry->object));
  else entry->turn = ++last_turn;
  return result;
}

/* Puts a dropped session back as it was, in a new object, as libssl has marked the old one. */
static void put_back(int slot, int protocol) {
  struct entry *entry = &slots[slot].entries[protocol];
  SSL_SESSION *again = make_session(slot, protocol, SSL_SESSION_get_timeout(entry->object));
  SSL_SESSION_set_time(again, SSL_SESSION_get_time(entry->object));
  own(entry, again);
  add(again, 1);
  restore_turns(expiry(again));
}

static int slot_of(const unsigned char *id, unsigned int length) {
  int slot;
  for (slot = 0; slot < slot_count; slot++)
    if (slots[slot].id_length == length && memcmp(slots[slot].id, id, length) == 0) return slot;
  return -1;
}

/* libssl looks up the offered ID before it requests a new one, so a session that it removes until then has expired. */
static void on_remove(SSL_CTX *context, SSL_SESSION *session) {
  unsigned int length;
  const unsigned char *id;
  if (context != server_context || !keeping) return;
  keeping = 0;
  id = SSL_SESSION_get_id(session, &length);
  put_back(slot_of(id, length), 0);
  kept |= KEPT_EXPIRED;
}

static int on_generate(SSL *ssl, unsigned char *id, unsigned int *length) {
  (void)ssl;
  keeping = 0;
  memcpy(id, slots[issued_slot].id, slots[issued_slot].id_length);
  *length = slots[issued_slot].id_length;
  return 1;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy) {
  struct entry *entry;
  (void)ssl;
  *copy = 1;
  if (external_slot < 0 || slot_of(id, length) != external_slot) return NULL;
  keeping = 0;
  entry = &slots[external_slot].entries[0];
  own(entry, make_session(external_slot, 0, SSL_CTX_get_timeout(server_context)));
  entry->turn = ++last_turn;
  return entry->object;
}

static unsigned int on_server_psk(SSL *ssl, const char *identity, unsigned char *key, unsigned int capacity) {
  (void)ssl, (void)identity, (void)capacity;
  memset(key, 7, 16);
  return 16;
}

static unsigned int on_client_psk(SSL *ssl, const char *hint, char *identity, unsigned int identity_capacity,
                                  unsigned char *key, unsigned int capacity) {
  (void)ssl, (void)hint, (void)identity_capacity, (void)capacity;
  strcpy(identity, "a");
  memset(key, 7, 16);
  return 16;
}

static SSL_CTX *make_context(const SSL_METHOD *method) {
  SSL_CTX *context = must(SSL_CTX_new(method));
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_EXTENDED_MASTER_SECRET);
  if (!SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) ||
      !SSL_CTX_set_cipher_list(context, "PSK-AES128-GCM-SHA256"))
    fail("this libssl does not do PSK-AES128-GCM-SHA256");
  return context;
}

static void new_context(void) {
  int slot, protocol;
  for (slot = 0; slot < slot_count; slot++)
    for (protocol = 0; protocol < PROTOCOLS; protocol++) own(&slots[slot].entries[protocol], NULL);
  SSL_CTX_free(server_context);
  server_context = make_context(TLS_server_method());
  SSL_CTX_set_psk_server_callback(server_context, on_server_psk);
  SSL_CTX_set_generate_session_id(server_context, on_generate);
  SSL_CTX_sess_set_remove_cb(server_context, on_remove);
  SSL_CTX_sess_set_get_cb(server_context, on_get);
}

/* Runs both sides against each other. Returns whether both have finished. */
static int shake_hands(SSL *client, SSL *server) {
  int round;
  for (round = 0; round < 4; round++) {
    const int client_done = SSL_do_handshake(client) == 1;
    const int server_done = SSL_do_handshake(server) == 1;
    if (client_done && server_done) return 1;
  }
  return 0;
}

static SSL *make_side(SSL_CTX *context, BIO *in, BIO *out) {
  SSL *ssl = must(SSL_new(context));
  BIO_up_ref(in);
  BIO_up_ref(out);
  SSL_set_bio(ssl, in, out);
  return ssl;
}

/* Makes the session that the server has just stored like those that ADD makes. */
static void adopt(SSL_SESSION *session, int slot) {
  struct entry *entry = &slots[slot].entries[0];
  if (held(slot, 0) != session || entry->object == session) return;
  SSL_SESSION_up_ref(session);
  own(entry, session);
  entry->turn = ++last_turn;
  SSL_SESSION_set1_master_key(session, master_key, MASTER_KEY_LENGTH);
  SSL_SESSION_set1_id_context(session, (const unsigned char *)"", 0);
}

static void end_server(SSL *server, int slot, int flags) {
  const int was_held = slot >= 0 && held(slot, 0) != NULL;
  if (!(flags & UNCLEAN)) SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(server);
  if (!was_held || held(slot, 0) != NULL || !(flags & KEEP)) return;
  put_back(slot, 0);
  kept |= KEPT_UNCLEAN;
}

static int handshake(int offered, int issued, int flags) {
  const long mode = SSL_CTX_get_session_cache_mode(server_context);
  BIO *to_server = must(BIO_new(BIO_s_mem()));
  BIO *to_client = must(BIO_new(BIO_s_mem()));
  SSL *client = make_side(client_context, to_client, to_server);
  SSL *server = make_side(server_context, to_server, to_client);
  int result = 0, got = -1;
  BIO_free(to_server);
  BIO_free(to_client);
  issued_slot = issued;
  external_slot = flags & EXTERNAL ? offered : -1;
  keeping = flags & KEEP;
  kept = 0;
  if (flags & ELSEWHERE) SSL_set_session_id_context(server, (const unsigned char *)"elsewhere", 9);
  if (flags & DO_NOT_STORE) SSL_CTX_set_session_cache_mode(server_context, mode | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_set_connect_state(client);
  SSL_set_accept_state(server);
  if (offered >= 0) {
    /* A copy, as libssl marks a session whose connection fails. */
    SSL_SESSION *copy = must(SSL_SESSION_dup(slots[offered].client));
    if (!SSL_set_session(client, copy)) fail("a session could not be offered");
    SSL_SESSION_free(copy);
  }
  if (flags & BROKEN_OFF) {
    SSL_do_handshake(client);
    SSL_do_handshake(server);
  } else if (shake_hands(client, server)) {
    unsigned int length;
    const unsigned char *id = SSL_SESSION_get_id(SSL_get_session(client), &length);
    result |= COMPLETED;
    got = length == 0 ? -1 : slot_of(id, length);
    if (got >= 0) adopt(SSL_get_session(server), got);
  }
  if (SSL_session_reused(server)) result |= RESUMED;
  keeping = 0;
  SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(client);
  end_server(server, got, flags);
  SSL_CTX_set_session_cache_mode(server_context, mode);
  return result | kept | (got + 1) << ISSUED_SHIFT;
}

static int remove_session(int slot, int protocol) {
  /* Another object with the same ID, as a caller has after the replacement of its own. */
  return SSL_CTX_remove_session(server_context, slots[slot].entries[protocol].probe);
}

static int flush(long before) {
  const long number = SSL_CTX_sess_number(server_context);
  SSL_CTX_flush_sessions(server_context, before);
  return (int)(number - SSL_CTX_sess_number(server_context));
}

static int take_turn(int slot, int protocol) {
  struct entry *entry = &slots[slot].entries[protocol];
  entry->turn = ++last_turn;
  restore_turns(expiry(entry->object));
  return 0;
}

static int carry_out(const int32_t *operation) {
  const int slot = operation[1], a = operation[2], b = operation[3], c = operation[4], flags = operation[5];
  switch (operation[0]) {
    case NEW:
      new_context();
      return 0;
    case TIME:
      now_seconds = a;
      return 0;
    case ADD:
      return add_session(slot, a, b, flags);
    case REMOVE:
      return remove_session(slot, a);
    case FLUSH:
      return flush(a);
    case SIZE:
      return (int)SSL_CTX_sess_set_cache_size(server_context, a);
    case TIMEOUT:
      return (int)SSL_CTX_set_timeout(server_context, a);
    case MODE:
      return (int)SSL_CTX_set_session_cache_mode(server_context, a);
    case HANDSHAKE:
      return handshake(a, b, flags);
    case PUT_BACK:
      put_back(slot, a);
      return 0;
    case TURN:
      return take_turn(slot, a);
    case HELD:
      return held(slot, a) != NULL;
    default:
      (void)c;
      fail("an operation that does not exist");
      return 0;
  }
}

static int32_t *write_state(int32_t *to) {
  int32_t *count;
  int slot, protocol;
  *to++ = (int32_t)SSL_CTX_sess_number(server_context);
  *to++ = (int32_t)SSL_CTX_sess_hits(server_context);
  *to++ = (int32_t)SSL_CTX_sess_misses(server_context);
  *to++ = (int32_t)SSL_CTX_sess_timeouts(server_context);
  *to++ = (int32_t)SSL_CTX_sess_cache_full(server_context);
  count = to++;
  *count = 0;
  for (slot = 0; slot < slot_count; slot++)
    for (protocol = 0; protocol < PROTOCOLS; protocol++) {
      const SSL_SESSION *session = held(slot, protocol);
      if (session == NULL) continue;
      *to++ = slot;
      *to++ = protocol;
      *to++ = (int32_t)SSL_SESSION_get_time(session);
      *to++ = (int32_t)SSL_SESSION_get_timeout(session);
      *to++ = 0;
      ++*count;
    }
  return to;
}

static void define_slot(const char *hex) {
  struct slot *slot = &slots[slot_count];
  const size_t length = strlen(hex) / 2;
  size_t i;
  int protocol;
  if (slot_count == MAX_SLOTS || length < 1 || length > sizeof slot->id) fail("a bad session ID");
  for (i = 0; i < length; i++) {
    unsigned int byte;
    if (sscanf(hex + 2 * i, "%2x", &byte) != 1) fail("a bad session ID");
    slot->id[i] = (unsigned char)byte;
  }
  slot->id_length = (unsigned int)length;
  for (protocol = 0; protocol < PROTOCOLS; protocol++)
    slot->entries[protocol].probe = make_session(slot_count, protocol, 1);
  slot->client = make_session(slot_count, 0, 1);
  slot_count++;
}

static void set_up(int ids, char **hex) {
  SSL *ssl;
  SSL_SESSION *session;
  client_context = make_context(TLS_client_method());
  SSL_CTX_set_session_cache_mode(client_context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_psk_client_callback(client_context, on_client_psk);
  ssl = must(SSL_new(client_context));
  cipher = SSL_CIPHER_find(ssl, cipher_bytes);
  SSL_free(ssl);
  session = must(SSL_SESSION_new());
  if (SSL_SESSION_get_time(session) != now_seconds) fail("this libssl does not take its time from time() or gettimeofday()");
  SSL_SESSION_free(session);
  while (ids-- > 0) define_slot(*hex++);
  new_context();
}

int main(int count, char **arguments) {
  static int32_t request[MAX_OPERATIONS * FIELDS];
  static int32_t answer[MAX_OPERATIONS + 6 + MAX_SLOTS * PROTOCOLS * HELD_FIELDS];
  FILE *requests, *answers;
  int32_t operations;
  if (count == 1) {
    set_up(0, NULL);
    puts(OpenSSL_version(OPENSSL_VERSION));
    return 0;
  }
  if (count < 4) fail("expected: REQUESTS ANSWERS ID...");
  requests = fopen(arguments[1], "rb");
  answers = fopen(arguments[2], "wb");
  if (requests == NULL || answers == NULL) fail("a pipe could not be opened");
  set_up(count - 3, arguments + 3);
  while (fread(&operations, sizeof operations, 1, requests) == 1) {
    int32_t *end = answer;
    int i;
    if (operations < 0 || operations > MAX_OPERATIONS) fail("too many operations at once");
    if (fread(request, sizeof *request * FIELDS, operations, requests) != (size_t)operations) break;
    for (i = 0; i < operations; i++) *end++ = carry_out(request + i * FIELDS);
    end = write_state(end);
    fwrite(answer, sizeof *answer, end - answer, answers);
    fflush(answers);
  }
  return 0;
}
