#include <string.h>
#include <curl/curl.h>

// Swift calls no variadic functions, and curl is told everything by one.

/// How far the exchange with a server has come: which command the last reply answers.
enum mail_stage {
    /// Greeting, encryption, sign-in.
    MAIL_STAGE_OPENING = 0,
    MAIL_STAGE_SENDER = 1,
    MAIL_STAGE_RECEIVER = 2,
    /// Whether the server wants the content, and what it says of it.
    MAIL_STAGE_CONTENT = 3,
    /// It is over, and what is said yet does not matter.
    MAIL_STAGE_CLOSING = 4,
};

enum { MAIL_REPLY_BYTES_MAX = 500 };

/// One mail on its way: what is to be read, and what is noted.
struct mail_exchange {
    const unsigned char *bytes;
    size_t count;
    size_t taken;
    /// What has been sent last.
    int stage;
    /// What the last line of the server answers.
    int reply_stage;
    /// That line without its end; empty: it has said nothing.
    char reply[MAIL_REPLY_BYTES_MAX + 1];
    /// Answers other than 0 when the exchange is to be broken off.
    int (*is_cancelled)(void *context, int is_content_sent);
    void *context;
};

/// The server, and how it is spoken to.
struct mail_server {
    const char *url;
    /// NULL: nobody signs in.
    const char *user;
    const char *password;
    /// A file of certificates that vouch for the server's; NULL: those of the machine.
    const char *authorities;
    long connect_milliseconds_max;
    long milliseconds_max;
};

static size_t mail_read(char *buffer, size_t size, size_t count, void *context) {
    struct mail_exchange *exchange = (struct mail_exchange *)context;
    size_t room = size * count;
    size_t left = exchange->count - exchange->taken;
    size_t part = left < room ? left : room;
    memcpy(buffer, exchange->bytes + exchange->taken, part);
    exchange->taken += part;
    return part;
}

static int mail_begins(const char *text, size_t count, const char *word) {
    size_t length = strlen(word);
    return count >= length && memcmp(text, word, length) == 0;
}

/// Notes what was sent last, never the text itself: there may be a password in it.
static int mail_note(
    CURL *handle, curl_infotype kind, char *text, size_t count, void *context) {
    struct mail_exchange *exchange = (struct mail_exchange *)context;
    (void)handle;
    if (kind == CURLINFO_HEADER_OUT) {
        if (mail_begins(text, count, "MAIL FROM:")) {
            exchange->stage = MAIL_STAGE_SENDER;
        } else if (mail_begins(text, count, "RCPT TO:")) {
            exchange->stage = MAIL_STAGE_RECEIVER;
        } else if (
            exchange->stage == MAIL_STAGE_RECEIVER && mail_begins(text, count, "DATA\r\n")) {
            exchange->stage = MAIL_STAGE_CONTENT;
        } else if (mail_begins(text, count, "QUIT\r\n")) {
            exchange->stage = MAIL_STAGE_CLOSING;
        }
    } else if (kind == CURLINFO_HEADER_IN && exchange->stage != MAIL_STAGE_CLOSING) {
        exchange->reply_stage = exchange->stage;
        while (count > 0 && (text[count - 1] == '\n' || text[count - 1] == '\r')) count -= 1;
        if (count > MAIL_REPLY_BYTES_MAX) count = MAIL_REPLY_BYTES_MAX;
        memcpy(exchange->reply, text, count);
        exchange->reply[count] = 0;
    }
    return 0;
}

static int mail_look(
    void *context, curl_off_t down_max, curl_off_t down, curl_off_t up_max, curl_off_t up) {
    struct mail_exchange *exchange = (struct mail_exchange *)context;
    (void)down_max; (void)down; (void)up_max; (void)up;
    return exchange->is_cancelled(exchange->context, exchange->taken == exchange->count);
}

/// Sends one mail, over the connection of the one before if that still lives.
///
/// With a user the connection is encrypted before anything is said; without one if the server
/// offers it. Blocks. Answers how it ended.
static inline CURLcode mail_send(
    CURL *handle, const struct mail_server *server, const char *sender, const char *receiver,
    struct mail_exchange *exchange) {
    // Keeps the connection.
    curl_easy_reset(handle);
    struct curl_slist *receivers = curl_slist_append(NULL, receiver);
    if (receivers == NULL) return CURLE_OUT_OF_MEMORY;
    CURLcode outcome = CURLE_OK;
#define MAIL_SET(option, value) \
    if (outcome == CURLE_OK) outcome = curl_easy_setopt(handle, option, value)
    MAIL_SET(CURLOPT_URL, server->url);
    MAIL_SET(CURLOPT_NOSIGNAL, 1L);
    // No proxy of the environment: what is said is for the server alone.
    MAIL_SET(CURLOPT_PROXY, "");
    MAIL_SET(CURLOPT_CONNECTTIMEOUT_MS, server->connect_milliseconds_max);
    MAIL_SET(CURLOPT_TIMEOUT_MS, server->milliseconds_max);
    MAIL_SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    MAIL_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    MAIL_SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (server->authorities != NULL) {
        MAIL_SET(CURLOPT_CAINFO, server->authorities);
        MAIL_SET(CURLOPT_CAPATH, NULL);
    }
    MAIL_SET(CURLOPT_USE_SSL, (long)(server->user != NULL ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (server->user != NULL) {
        MAIL_SET(CURLOPT_USERNAME, server->user);
        MAIL_SET(CURLOPT_PASSWORD, server->password);
    }
    MAIL_SET(CURLOPT_MAIL_FROM, sender);
    MAIL_SET(CURLOPT_MAIL_RCPT, receivers);
    MAIL_SET(CURLOPT_UPLOAD, 1L);
    MAIL_SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->count);
    MAIL_SET(CURLOPT_READFUNCTION, mail_read);
    MAIL_SET(CURLOPT_READDATA, exchange);
    MAIL_SET(CURLOPT_DEBUGFUNCTION, mail_note);
    MAIL_SET(CURLOPT_DEBUGDATA, exchange);
    MAIL_SET(CURLOPT_VERBOSE, 1L);
    MAIL_SET(CURLOPT_XFERINFOFUNCTION, mail_look);
    MAIL_SET(CURLOPT_XFERINFODATA, exchange);
    MAIL_SET(CURLOPT_NOPROGRESS, 0L);
#undef MAIL_SET
    if (outcome == CURLE_OK) outcome = curl_easy_perform(handle);
    // What it points to is gone after this; closing the connection later must not ask it.
    curl_easy_setopt(handle, CURLOPT_VERBOSE, 0L);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 1L);
    curl_slist_free_all(receivers);
    return outcome;
}
