/// The look of the gateway's pages, light or dark as the reader has it.
enum PageStyle {
    /// The style sheet.
    static let text = colors + body + lists + documentation + forms + console + parts

    /// Text has at least 4.5 : 1 against what is behind it, edges of fields 3 : 1.
    private static let colors = """
        :root{color-scheme:light dark;--ink:#1d2530;--paper:#fbfaf7;--line:#d9d4c8;\
        --edge:#757e8b;--soft:#5d6673;--good:#1c7a4a;--bad:#b03a2e;--code:#f1eee6;\
        --link:#1d5a96}
        @media(prefers-color-scheme:dark){:root{--ink:#e8e6e1;--paper:#16191e;--line:#333a44;\
        --edge:#818b98;--soft:#a3abb7;--good:#5fd394;--bad:#ff8a7a;--code:#1f242b;\
        --link:#8ab8f0}}

        """

    private static let body = """
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:44rem;padding:3rem 1.25rem 2rem;background:var(--paper);\
        color:var(--ink);font:1.0625rem/1.6 Georgia,serif;overflow-wrap:break-word}
        h1{font-size:2.25rem;line-height:1.1;margin:0 0 .5rem}
        h2{font-size:1.375rem;line-height:1.3;margin:2.5rem 0 .5rem}
        h3{font-size:1rem;line-height:1.4;margin:0}
        p{margin:0 0 1rem}p.lead{color:var(--soft);margin:0 0 1rem}
        a{color:var(--link)}
        :focus-visible{outline:3px solid var(--link);outline-offset:2px}
        .good{color:var(--good)}.bad{color:var(--bad)}
        pre{background:var(--code);border:1px solid var(--line);border-radius:.375rem;\
        padding:1rem;overflow-x:auto;font:.875rem/1.5 ui-monospace,monospace}
        code{font-family:ui-monospace,monospace}p code{font-size:.9em}
        footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line)}
        footer ul{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;list-style:none;margin:0;padding:0}
        footer a{display:inline-block;padding:.25rem 0}

        """

    private static let lists = """
        ul.rows{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}
        ul.rows li{display:flex;justify-content:space-between;gap:1rem;padding:.5rem 0;\
        border-bottom:1px solid var(--line)}

        """

    private static let documentation = """
        article{border-top:1px solid var(--line);padding:1rem 0}
        article p{margin:.25rem 0}
        h3 code{font-size:.9375rem;font-weight:400;overflow-wrap:anywhere}
        .verb{display:inline-block;min-width:3.75rem;margin-right:.5rem;\
        font:700 .8125rem/1.4 ui-monospace,monospace;color:var(--link)}
        .note{color:var(--soft);font-size:.9375rem}
        summary{cursor:pointer;color:var(--link);padding:.25rem 0}
        ul.fields{list-style:none;margin:.25rem 0 1rem;padding-left:1rem;\
        border-left:2px solid var(--line);font-size:.9375rem;overflow-wrap:anywhere}
        ul.fields li{margin-top:.5rem}ul.fields code{font-weight:700}ul.fields p{margin:0}
        h4{font-size:.9375rem;margin:.75rem 0 .25rem}

        """

    private static let forms = """
        form{margin-top:1.5rem}
        .field{margin:0 0 1.25rem}
        label{display:block;font-weight:700}
        label span{font-weight:400;color:var(--soft)}
        input,select,textarea{display:block;width:100%;margin-top:.25rem;padding:.625rem .75rem;\
        border:1px solid var(--edge);border-radius:.375rem;background:var(--paper);\
        color:var(--ink);font:inherit}
        textarea{min-height:12rem;resize:vertical}
        [aria-invalid]{border:2px solid var(--bad)}
        .fault{margin:.25rem 0 0;color:var(--bad)}
        .notice{margin:1.5rem 0;padding:1rem;border:2px solid var(--bad);border-radius:.375rem}
        .notice h2{margin:0;font-size:1.125rem}.notice p,.notice ul{margin:.5rem 0 0}\
        .notice ul{padding-left:1.25rem}
        button{padding:.75rem 1.5rem;border:0;border-radius:.375rem;background:var(--ink);\
        color:var(--paper);font:inherit;font-weight:700;cursor:pointer}
        """
}
