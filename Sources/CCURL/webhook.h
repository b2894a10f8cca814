#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <curl/curl.h>

// Swift calls no variadic functions, and curl is told everything by one.

enum {
    /// Of an answer so many bytes are read at most, its headers among them.
    WEBHOOK_ANSWER_BYTES_MAX = 64 * 1024,
    WEBHOOK_ADDRESS_BYTES_MAX = 16,
};

/// One call on its way: what is sent, who decides, and what is noted.
struct webhook_exchange {
    const char *url;
    /// Lines without their ends.
    const char *const *headers;
    size_t header_count;
    const char *body;
    size_t body_count;
    /// A file of certificates that vouch for the server's; NULL: those of the machine.
    const char *authorities;
    long connect_milliseconds_max;
    long milliseconds_max;
    /// Answers 0 when nothing may be connected to at an address of 4 or 16 bytes.
    int (*is_allowed)(void *context, const unsigned char *bytes, size_t count);
    /// Answers other than 0 when the exchange is to be broken off.
    int (*is_cancelled)(void *context, int is_sent);
    void *context;

    /// Bytes of the answer that were read.
    size_t taken;
    /// Whether an address was not allowed.
    int is_refused;
    /// The HTTP status; 0: there was none.
    long status;
    /// How long the answer asks to wait; 0: it does not say.
    long retry_after_seconds;
};

/// The bytes of an address in a text, and how many they are: 4, 16, or 0 when it is none.
static inline size_t webhook_address(
    const char *text, unsigned char bytes[WEBHOOK_ADDRESS_BYTES_MAX]) {
    if (inet_pton(AF_INET, text, bytes) == 1) return 4;
    if (inet_pton(AF_INET6, text, bytes) == 1) return 16;
    return 0;
}

/// Opens the socket to an address that is allowed: the one that is connected to, whatever a name
/// stood for before.
static curl_socket_t webhook_open(
    void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    struct webhook_exchange *exchange = (struct webhook_exchange *)context;
    const unsigned char *bytes = NULL;
    size_t count = 0;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
    if (address->family == AF_INET && address->addrlen >= sizeof four) {
        memcpy(&four, &address->addr, sizeof four);
        bytes = (const unsigned char *)&four.sin_addr;
        count = 4;
    } else if (address->family == AF_INET6 && address->addrlen >= sizeof six) {
        memcpy(&six, &address->addr, sizeof six);
        bytes = (const unsigned char *)&six.sin6_addr;
        count = 16;
    }
    if (bytes == NULL || !exchange->is_allowed(exchange->context, bytes, count)) {
        exchange->is_refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t webhook_take(char *bytes, size_t size, size_t count, void *context) {
    struct webhook_exchange *exchange = (struct webhook_exchange *)context;
    (void)bytes;
    exchange->taken += size * count;
    return exchange->taken <= WEBHOOK_ANSWER_BYTES_MAX ? size * count : 0;
}

static int webhook_look(
    void *context, curl_off_t down_max, curl_off_t down, curl_off_t up_max, curl_off_t up) {
    struct webhook_exchange *exchange = (struct webhook_exchange *)context;
    (void)down_max; (void)down; (void)up_max;
    return exchange->is_cancelled(
        exchange->context, up > 0 && (size_t)up >= exchange->body_count);
}

/// Posts one call, over the connection of one before if that still lives.
///
/// No redirect is followed and no proxy of the environment used. Blocks. Answers how it ended.
static inline CURLcode webhook_post(CURL *handle, struct webhook_exchange *exchange) {
    // Keeps the connections.
    curl_easy_reset(handle);
    struct curl_slist *headers = NULL;
    for (size_t number = 0; number < exchange->header_count; number += 1) {
        struct curl_slist *longer = curl_slist_append(headers, exchange->headers[number]);
        if (longer == NULL) {
            curl_slist_free_all(headers);
            return CURLE_OUT_OF_MEMORY;
        }
        headers = longer;
    }
    CURLcode outcome = CURLE_OK;
#define WEBHOOK_SET(option, value) \
    if (outcome == CURLE_OK) outcome = curl_easy_setopt(handle, option, value)
    WEBHOOK_SET(CURLOPT_URL, exchange->url);
    WEBHOOK_SET(CURLOPT_PROTOCOLS_STR, "http,https");
    WEBHOOK_SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    WEBHOOK_SET(CURLOPT_NOSIGNAL, 1L);
    // A name that nobody answers for is not waited for longer than the call may take.
    WEBHOOK_SET(CURLOPT_QUICK_EXIT, 1L);
    // What is said is for the receiver alone, and the addresses are looked at here.
    WEBHOOK_SET(CURLOPT_PROXY, "");
    WEBHOOK_SET(CURLOPT_FOLLOWLOCATION, 0L);
    WEBHOOK_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    WEBHOOK_SET(CURLOPT_CONNECTTIMEOUT_MS, exchange->connect_milliseconds_max);
    WEBHOOK_SET(CURLOPT_TIMEOUT_MS, exchange->milliseconds_max);
    WEBHOOK_SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    WEBHOOK_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    WEBHOOK_SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (exchange->authorities != NULL) {
        WEBHOOK_SET(CURLOPT_CAINFO, exchange->authorities);
        WEBHOOK_SET(CURLOPT_CAPATH, NULL);
    }
    WEBHOOK_SET(CURLOPT_POST, 1L);
    WEBHOOK_SET(CURLOPT_POSTFIELDS, exchange->body);
    WEBHOOK_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_count);
    WEBHOOK_SET(CURLOPT_HTTPHEADER, headers);
    WEBHOOK_SET(CURLOPT_OPENSOCKETFUNCTION, webhook_open);
    WEBHOOK_SET(CURLOPT_OPENSOCKETDATA, exchange);
    WEBHOOK_SET(CURLOPT_HEADERFUNCTION, webhook_take);
    WEBHOOK_SET(CURLOPT_HEADERDATA, exchange);
    WEBHOOK_SET(CURLOPT_WRITEFUNCTION, webhook_take);
    WEBHOOK_SET(CURLOPT_WRITEDATA, exchange);
    WEBHOOK_SET(CURLOPT_XFERINFOFUNCTION, webhook_look);
    WEBHOOK_SET(CURLOPT_XFERINFODATA, exchange);
    WEBHOOK_SET(CURLOPT_NOPROGRESS, 0L);
#undef WEBHOOK_SET
    if (outcome == CURLE_OK) outcome = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &exchange->status);
    // Seconds, also where the answer names a date.
    curl_off_t retry_after = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    exchange->retry_after_seconds = (long)retry_after;
    // What they point to is gone after this; closing a connection later must not ask it.
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return outcome;
}
