#include <stdio.h>
#include <unistd.h>

int main(void) {
    printf("Hello from an image of one file. User %u.\n", (unsigned)getuid());
    return 0;
}
