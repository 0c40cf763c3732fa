/* Preloaded into a process, makes its disk fail: the nth sync or write of a file whose name holds FAIL_FILE answers as
 * FAIL_HOW says.
 *
 *   FAIL_CALL    sync (fsync, fdatasync) or write (write, pwrite)
 *   FAIL_NTH     which one, from 1 on; with FAIL_ALWAYS=1 every later one too
 *   FAIL_HOW     EIO, ENOSPC, or short: half is written, then there is no room
 *   FAIL_AFTER   a file: nothing fails or is counted while it is not there
 *   FAIL_UNLESS  a file: nothing fails once it is gone
 *   FAIL_TOLD    a file that gets a byte for each failure
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;

static int matches(int file) {
    char link[64], name[4096];
    const char *wanted = getenv("FAIL_FILE");
    if (!wanted) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0) return 0;
    name[length] = 0;
    return strstr(name, wanted) != NULL;
}

static int fails(int file, const char *call) {
    const char *wanted = getenv("FAIL_CALL"), *nth = getenv("FAIL_NTH"), *always = getenv("FAIL_ALWAYS");
    const char *unless = getenv("FAIL_UNLESS"), *after = getenv("FAIL_AFTER"), *told = getenv("FAIL_TOLD");
    if (!wanted || strcmp(wanted, call) != 0 || !matches(file)) return 0;
    if (after && access(after, F_OK) != 0) return 0;
    if (unless && access(unless, F_OK) != 0) return 0;
    int place = atomic_fetch_add(&calls, 1) + 1, first = nth ? atoi(nth) : 1;
    if (place < first || (place > first && !(always && *always == '1'))) return 0;
    if (told) {
        int out = open(told, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (out >= 0) { (void)!syscall(SYS_write, out, ".", 1); close(out); }
    }
    return 1;
}

static int error_of(void) {
    const char *how = getenv("FAIL_HOW");
    return how && strcmp(how, "EIO") == 0 ? EIO : ENOSPC;
}

static int is_short(void) {
    const char *how = getenv("FAIL_HOW");
    return how && strcmp(how, "short") == 0;
}

int fsync(int file) {
    static int (*next)(int);
    if (!next) next = dlsym(RTLD_NEXT, "fsync");
    if (fails(file, "sync")) { errno = error_of(); return -1; }
    return next(file);
}

int fdatasync(int file) {
    static int (*next)(int);
    if (!next) next = dlsym(RTLD_NEXT, "fdatasync");
    if (fails(file, "sync")) { errno = error_of(); return -1; }
    return next(file);
}

static ssize_t pwrite_or_fail(int file, const void *bytes, size_t count, off_t at,
                              ssize_t (*next)(int, const void *, size_t, off_t)) {
    if (!fails(file, "write")) return next(file, bytes, count, at);
    if (is_short() && count > 1) return next(file, bytes, count / 2, at);
    errno = error_of();
    return -1;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (!next) next = dlsym(RTLD_NEXT, "pwrite64");
    return pwrite_or_fail(file, bytes, count, at, next);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (!next) next = dlsym(RTLD_NEXT, "pwrite");
    return pwrite_or_fail(file, bytes, count, at, next);
}

ssize_t write(int file, const void *bytes, size_t count) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    if (!fails(file, "write")) return next(file, bytes, count);
    if (is_short() && count > 1) return next(file, bytes, count / 2);
    errno = error_of();
    return -1;
}
