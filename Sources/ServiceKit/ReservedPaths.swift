/// First segments of paths of the platform's address that no organization may have as its own.
///
/// A test of the gateway holds every path that it serves against this list.
public enum ReservedPaths {
    /// The segments, in lower case.
    public static let segments: Set<String> = Set(
        """
        about abuse account accounts admin administrator api app apps asset assets auth billing
        blog callback cdn config console contact contacts cookie cookies dashboard debug default
        demo dev docs download downloads email error example explain export faq favicon feed
        files health healthz help home host imprint index info internal
        invitation invitations invite jobs js legal livez login logout mail me media metrics
        mobile new news null oauth openapi operations partner partners password payments ping
        platform postmaster pricing privacy public readyz register root rpc saml security
        services session sessions settings setup shop signin signout signup sitemap smtp sso
        staff static status store support system team terms test theme themes undefined user
        users v1 v2 version webhook webhooks webmaster well-known www
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
