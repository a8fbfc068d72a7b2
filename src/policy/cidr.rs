//! Ranges of addresses (RFC 4632, RFC 4291 §2.3).

use core::net::IpAddr;

/// All addresses of one family that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    /// How many of the last bits are anybody's.
    host_bits: u32,
}

/// Why a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCidr {
    Syntax,
    /// Bits are set behind the prefix.
    HostBits,
}

impl Cidr {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or an address alone.
    pub fn parse(text: &str) -> Result<Self, NoCidr> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| NoCidr::Syntax)?;
        let width: u32 = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            // Signs and leading zeros are other people's notations.
            Some(prefix) if !is_number(prefix) => return Err(NoCidr::Syntax),
            Some(prefix) => prefix.parse().map_err(|_| NoCidr::Syntax)?,
            None => width,
        };
        let host_bits = width.checked_sub(prefix).ok_or(NoCidr::Syntax)?;
        let cidr = Self { network, host_bits };
        if cidr.beginning(bits(network)) == bits(network) {
            // As addresses are when they are compared.
            let network = network.to_canonical();
            Ok(Self { network, host_bits })
        } else {
            Err(NoCidr::HostBits)
        }
    }

    /// Whether `address` is in it. An IPv4 address is one however a socket spells it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4()
            && self.beginning(bits(address)) == bits(self.network)
    }

    /// `bits` with zeros for those of the host.
    fn beginning(&self, bits: u128) -> u128 {
        let network = bits.checked_shr(self.host_bits).unwrap_or(0);
        network.checked_shl(self.host_bits).unwrap_or(0)
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_ranges_it_begins_as() {
        for (cidr, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "fd00::1", true),
            ("::/0", "127.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.255.0.1", true),
            ("::ffff:10.0.0.0/104", "::ffff:11.0.0.1", false),
            ("::ffff:10.1.2.3", "10.1.2.3", true),
            ("::ffff:10.1.2.3", "10.1.2.4", false),
            ("::ffff:0:0/96", "255.255.255.255", true),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::1", "::1", true),
            ("2001:db8::/127", "2001:db8::1", true),
            ("2001:db8::/127", "2001:db8::2", false),
        ] {
            let range = Cidr::parse(cidr).unwrap();
            assert_eq!(
                range.contains(address.parse().unwrap()),
                expected,
                "{cidr} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/8/8",
            "10.0.0.0/99999999999",
            "10.0.0",
            "10.0.0.0/255.0.0.0",
            "::/129",
            "localhost",
            " 10.0.0.0/8",
        ] {
            assert_eq!(Cidr::parse(text), Err(NoCidr::Syntax), "{text:?}");
        }
        for text in [
            "10.1.2.3/8",
            "0.0.0.1/0",
            "fd00::1/8",
            "::ffff:0:0/95",
            "::ffff:10.1.0.0/104",
        ] {
            assert_eq!(Cidr::parse(text), Err(NoCidr::HostBits), "{text}");
        }
    }
}
