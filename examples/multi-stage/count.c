#include <stdio.h>

int main(void) {
    unsigned long lines = 0;
    for (int c; (c = getchar()) != EOF;) lines += c == '\n';
    printf("%lu lines\n", lines);
    return 0;
}
