// Holds idle connections to a server: hold echo|guildhall PORT COUNT
//
// Shakes hands on each, prints a line when all stand, and holds them until its input ends.
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { connections_per_source = 2000, sources_max = 250 };

int main(int count, char **arguments) {
    if (count != 4) fail("usage: hold echo|guildhall PORT COUNT");
    int speaks = strcmp(arguments[1], "guildhall") == 0, connections = atoi(arguments[3]);
    if (connections > connections_per_source * sources_max) fail("too many");
    for (int index = 0; index < connections; index++) {
        int connection =
            wire_connect(atoi(arguments[2]), 1 + index / connections_per_source);
        if (speaks) wire_shake_hands(connection, NULL);
    }
    printf("holding %d\n", connections);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}
