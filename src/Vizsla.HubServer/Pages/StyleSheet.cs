namespace Vizsla.HubServer.Pages;

/// <summary>How the pages look.</summary>
internal static class StyleSheet
{
    /// <summary>The style sheet.</summary>
    public const string Css =
        """
        :root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: #0a58ca; }
        @media (prefers-color-scheme: dark) { :root { --link: #7db3ff; } }
        * { box-sizing: border-box; }
        body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
        header { padding: .75rem 1rem; border-bottom: 1px solid var(--line); font-weight: 600; }
        header a { color: inherit; text-decoration: none; }
        main { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
        a { color: var(--link); }
        table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
        th, td { padding: .3rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
        td.size { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        pre { padding: .75rem; overflow: auto; background: var(--soft); border-radius: .4rem; }
        code { font-size: .9em; }
        img { max-width: 100%; }
        .quiet { opacity: .7; }
        .tag { display: inline-block; padding: 0 .5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .85rem; }
        """;
}
