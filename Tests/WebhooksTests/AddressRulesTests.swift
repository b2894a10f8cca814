import Testing

@testable import Webhooks

/// What may be called: the public Internet, and nothing that only this machine or its neighbours
/// should reach.
struct AddressRulesTests {
    @Test(arguments: [
        // This machine, and those beside it.
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
        "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.254",
        "169.254.0.1", "192.0.0.8", "198.18.0.1", "198.19.255.255",
        // What clouds tell of a machine.
        "169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254",
        // Nobody's, everybody's, and those of books.
        "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "198.51.100.7", "203.0.113.9", "192.88.99.1",
        // The same in IPv6.
        "::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1",
        "2001:db8::1", "100::1", "2001::1", "2002:7f00:1::", "3fff::1", "::7f00:1", "4000::1",
        // An address of IPv4 in one of IPv6.
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    ])
    func `what is not of the public Internet is refused`(text: String) throws {
        let address = try #require(NetworkAddress(text))

        #expect(!AddressRules().admits(address))
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "128.0.0.1",
        "169.253.255.255", "172.15.255.255", "172.32.0.1", "192.167.1.1", "192.169.0.1",
        "198.17.255.255", "198.20.0.1", "223.255.255.254", "168.63.129.15", "2606:4700::1111",
        "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    ])
    func `what is of the public Internet is allowed`(text: String) throws {
        let address = try #require(NetworkAddress(text))

        #expect(AddressRules().admits(address))
    }

    @Test func `an operator allows networks of their own, and no more`() throws {
        let networks = ["127.0.0.0/8", "10.1.2.3", "fd00::/9"].compactMap(Network.init)
        let rules = AddressRules(allowing: networks)
        #expect(networks.count == 3)

        for text in ["127.0.0.1", "127.9.9.9", "10.1.2.3", "fd7f::1", "::ffff:127.0.0.1"] {
            #expect(rules.admits(try #require(NetworkAddress(text))), "\(text)")
        }
        for text in ["10.1.2.4", "fd80::1", "192.168.1.1", "::1", "::ffff:10.1.2.4"] {
            #expect(!rules.admits(try #require(NetworkAddress(text))), "\(text)")
        }
    }

    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "/8", "fd00::/129", "fd00::/8/8",
        "host", "10.0.0.0/8 ",
    ])
    func `what is no network is told apart`(text: String) {
        #expect(Network(text) == nil)
    }

    @Test func `the bits of a network count, and those behind them do not`() throws {
        let network = try #require(Network("172.16.0.0/12"))

        #expect(network.contains(try #require(NetworkAddress("172.31.255.255"))))
        #expect(!network.contains(try #require(NetworkAddress("172.32.0.0"))))
        #expect(!network.contains(try #require(NetworkAddress("::ffff:172.16.0.1"))))
    }
}
