/// The look of parts that few pages of the console have: plans of imports, colors, long choices.
extension PageStyle {
    static let parts = menu + imports + looks

    private static let menu = """
        .top ul{flex-wrap:wrap;gap:0 1.25rem}

        """

    private static let imports = """
        button.main{padding:.625rem 1.25rem;line-height:1.4}
        .progress{margin:1.5rem 0 .25rem}.progress p{margin:.25rem 0 0}
        progress{display:block;width:100%;max-width:34rem;height:1rem;\
        accent-color:var(--link)}
        .totals{margin:1.25rem 0 0}.totals dd{font-size:1.375rem;line-height:1.3;\
        font-variant-numeric:tabular-nums}
        ul.changes{margin:.25rem 0 0;padding-left:1.125rem;font-size:.9375rem;line-height:1.5}
        ul.changes del{color:var(--soft)}ul.changes ins{font-weight:700;text-decoration:none}
        dl.columns{display:grid;gap:.75rem 2rem;margin:1.25rem 0 0;\
        grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr))}
        dl.columns dt{font-weight:700}dl.columns dd{margin:0;color:var(--soft)}
        .console input[type=file]{padding:.5rem .75rem;font-size:1rem}
        input[type=file]::file-selector-button{margin-right:.75rem;padding:.375rem .875rem;\
        border:1px solid var(--edge);border-radius:.375rem;background:none;color:var(--ink);\
        font:inherit;cursor:pointer}

        """

    private static let looks = """
        .swatch{display:inline-block;width:1.25rem;height:1.25rem;margin-right:.5rem;\
        vertical-align:-.25rem;border:1px solid var(--edge);border-radius:.25rem}
        .color code{font-size:.9375rem}
        .preview{display:block;width:100%;max-width:40rem;height:auto;margin:.75rem 0 0;\
        border:1px solid var(--edge);border-radius:.375rem}
        .logo{display:block;max-width:min(20rem,100%);max-height:8rem;margin:.75rem 0;\
        padding:.5rem;background:#fff;border:1px solid var(--line);border-radius:.375rem}
        .buttons.after{margin-top:1.5rem}
        .choices{margin:0 0 1.25rem}.choices>legend{font-size:1.0625rem;margin-bottom:.25rem}\
        .choices>.hint{margin:0 0 .5rem}
        .benefits{padding:1.25rem 0;border-top:1px solid var(--line)}.benefits>fieldset{margin:0}
        .choices details{margin-top:.5rem}
        .choices .group{margin:1rem 0 0}.choices .group>legend{font-size:1rem;margin-bottom:.25rem}
        .choices .boxes{max-height:24rem;overflow-y:auto}
        .chapters{margin:.125rem 0 0 1.875rem}
        .console section>h3{margin:1.25rem 0 .25rem}.console h3+ul{margin:0;padding-left:1.25rem}
        .module>.field{margin:0}fieldset>.hint{margin:0 0 .75rem}
        .module{padding:.5rem 0;border-bottom:1px solid var(--line)}
        .module:first-of-type{border-top:1px solid var(--line)}
        .ordered{display:grid;grid-template-columns:minmax(0,1fr) 9rem;gap:0 1.5rem;\
        max-width:52rem;align-items:end}
        @media(max-width:44rem){.ordered{grid-template-columns:minmax(0,1fr)}}

        """
}
