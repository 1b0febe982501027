#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sys/un.h>

#include <cmocka.h>

#include "policy/address_class.h"

static const struct {
    const char *literal;
    enum address_class want;
} classes[] = {
    { "93.184.216.34", ADDRESS_PUBLIC },
    { "8.8.8.8", ADDRESS_PUBLIC },
    { "9.255.255.255", ADDRESS_PUBLIC },
    { "11.0.0.0", ADDRESS_PUBLIC },
    { "100.63.255.255", ADDRESS_PUBLIC },
    { "100.128.0.0", ADDRESS_PUBLIC },
    { "172.15.255.255", ADDRESS_PUBLIC },
    { "172.32.0.0", ADDRESS_PUBLIC },
    { "223.255.255.255", ADDRESS_PUBLIC },
    { "2606:2800:220:1::1", ADDRESS_PUBLIC },
    { "2001:4860:4860::8888", ADDRESS_PUBLIC },
    { "0.0.0.0", ADDRESS_UNSPECIFIED },
    { "0.0.0.1", ADDRESS_RESERVED },
    { "127.0.0.1", ADDRESS_LOOPBACK },
    { "127.255.255.255", ADDRESS_LOOPBACK },
    { "10.0.0.0", ADDRESS_PRIVATE },
    { "10.255.255.255", ADDRESS_PRIVATE },
    { "172.16.0.0", ADDRESS_PRIVATE },
    { "172.31.255.255", ADDRESS_PRIVATE },
    { "192.168.0.1", ADDRESS_PRIVATE },
    { "169.254.0.1", ADDRESS_LINK_LOCAL },
    { "169.254.169.254", ADDRESS_METADATA },
    { "169.254.170.2", ADDRESS_METADATA },
    { "100.100.100.200", ADDRESS_METADATA },
    { "168.63.129.16", ADDRESS_METADATA },
    { "100.64.0.0", ADDRESS_CGNAT },
    { "100.127.255.255", ADDRESS_CGNAT },
    { "224.0.0.1", ADDRESS_MULTICAST },
    { "239.255.255.255", ADDRESS_MULTICAST },
    { "255.255.255.255", ADDRESS_BROADCAST },
    { "240.0.0.1", ADDRESS_RESERVED },
    { "192.0.0.8", ADDRESS_RESERVED },
    { "192.88.99.1", ADDRESS_RESERVED },
    { "192.0.2.1", ADDRESS_DOCUMENTATION },
    { "198.51.100.1", ADDRESS_DOCUMENTATION },
    { "203.0.113.1", ADDRESS_DOCUMENTATION },
    { "198.19.255.255", ADDRESS_BENCHMARK },
    { "::", ADDRESS_UNSPECIFIED },
    { "::1", ADDRESS_LOOPBACK },
    { "::2", ADDRESS_EMBEDDED },
    { "::ffff:8.8.8.8", ADDRESS_EMBEDDED },
    { "::ffff:127.0.0.1", ADDRESS_EMBEDDED },
    { "::ffff:0:10.0.0.1", ADDRESS_EMBEDDED },
    { "64:ff9b::7f00:1", ADDRESS_EMBEDDED },
    { "64:ff9b:1::1", ADDRESS_EMBEDDED },
    { "2002:7f00:1::", ADDRESS_EMBEDDED },
    { "2001:0:1::1", ADDRESS_EMBEDDED },
    { "fc00::1", ADDRESS_PRIVATE },
    { "fd12:3456::1", ADDRESS_PRIVATE },
    { "fd00:ec2::254", ADDRESS_METADATA },
    { "fe80::1", ADDRESS_LINK_LOCAL },
    { "febf::1", ADDRESS_LINK_LOCAL },
    { "fec0::1", ADDRESS_PRIVATE },
    { "ff02::1", ADDRESS_MULTICAST },
    { "2001:db8::1", ADDRESS_DOCUMENTATION },
    { "3fff::1", ADDRESS_DOCUMENTATION },
    { "2001:2::1", ADDRESS_BENCHMARK },
    { "2001:10::1", ADDRESS_RESERVED },
    { "100::1", ADDRESS_RESERVED },
    { "5f00::1", ADDRESS_RESERVED },
    { "4000::1", ADDRESS_RESERVED },
};

static void every_address_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct sockaddr_storage address;
        enum address_class class;

        assert_true(address_of_literal(classes[i].literal, &address));
        class = address_classify((const struct sockaddr *)&address);
        if (class != classes[i].want)
            fail_msg("%s is %s, not %s", classes[i].literal, address_class_name(class),
                     address_class_name(classes[i].want));
        if (address_allowed((const struct sockaddr *)&address, NULL, 0) !=
            (class == ADDRESS_PUBLIC))
            fail_msg("%s: only public addresses are open by themselves", classes[i].literal);
    }
}

static const struct {
    const char *name, *literal, *allow[2];
    bool want;
} allowances[] = {
    { "a range opens its addresses", "10.1.2.3", { "10.0.0.0/8" }, true },
    { "one address", "127.0.0.1", { "127.0.0.1" }, true },
    { "IPv6", "fd00::5", { "fd00::/8" }, true },
    { "mapped, by the range of its IPv4 address", "::ffff:10.1.2.3", { "10.0.0.0/8" }, true },
    { "NAT64 to a public address", "64:ff9b::808:808", { "64:ff9b::/96" }, true },
    { "NAT64 with both ranges", "64:ff9b::a01:203", { "64:ff9b::/96", "10.0.0.0/8" }, true },
    { "another range", "192.168.0.1", { "10.0.0.0/8" }, false },
    { "the neighbour", "127.0.0.2", { "127.0.0.1" }, false },
    { "IPv4 does not open IPv6", "::1", { "0.0.0.0/0" }, false },
    { "IPv6 does not open IPv4", "127.0.0.1", { "::/0" }, false },
    { "NAT64 is no way to metadata", "64:ff9b::a9fe:a9fe", { "64:ff9b::/96" }, false },
    { "NAT64 is no way to a private address", "64:ff9b::a01:203", { "64:ff9b::/96" }, false },
    { "6to4 is no way to loopback", "2002:7f00:1::", { "2002::/16" }, false },
    { "the inner range alone", "64:ff9b::a01:203", { "10.0.0.0/8" }, false },
    { "Teredo", "2001:0:1::1", { "2001:4860::/32" }, false },
};

static void allowances_open_what_they_cover(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof allowances / sizeof *allowances; i++) {
        struct sockaddr_storage address;
        struct cidr allow[2];
        const char *why;
        size_t n = 0;

        for (; n < 2 && allowances[i].allow[n]; n++)
            assert_true(cidr_parse(text_of(allowances[i].allow[n]), &allow[n], &why));
        assert_true(address_of_literal(allowances[i].literal, &address));
        if (address_allowed((const struct sockaddr *)&address, allow, n) != allowances[i].want)
            fail_msg("%s: %s", allowances[i].name, allowances[i].literal);
    }
}

static void other_families_are_closed(void **state)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };

    (void)state;
    assert_int_equal(address_classify((const struct sockaddr *)&local), ADDRESS_NOT_IP);
    assert_false(address_allowed((const struct sockaddr *)&local, NULL, 0));
}

static void names_are_no_literals(void **state)
{
    static const char *const names[] = { "localhost",  "",          "127.1",
                                         "0x7f000001", "fe80::1%1", "[::1]" };
    struct sockaddr_storage address;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(address_of_literal(names[i], &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_address_has_its_class),
        cmocka_unit_test(allowances_open_what_they_cover),
        cmocka_unit_test(other_families_are_closed),
        cmocka_unit_test(names_are_no_literals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
