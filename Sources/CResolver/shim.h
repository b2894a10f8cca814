#include <string.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>

/* Asks for the TXT records of a name: the answer as it came, and its length; or -1 and the reason
   in h_errno's terms. Without a server the name servers of the machine are asked. The state that
   the library works on is the call's own, so that threads do not share it. */
static inline int resolver_ask(
    const struct sockaddr_in *server, int seconds, int attempts, const char *name,
    unsigned char *answer, int capacity, int *reason) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    *reason = TRY_AGAIN;
    if (res_ninit(&state) != 0) {
        return -1;
    }
    state.retrans = seconds;
    state.retry = attempts;
    if (server != NULL) {
        state.nsaddr_list[0] = *server;
        state.nscount = 1;
    }
    int count = res_nquery(&state, name, ns_c_in, ns_t_txt, answer, capacity);
    if (count < 0) {
        *reason = state.res_h_errno;
    }
    res_nclose(&state);
    return count;
}
