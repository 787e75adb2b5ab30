using Fleet.Emulator.Plots;

namespace Fleet.Emulator.Reporting;

/// <summary>How a report looks: on light and dark paper, on a telephone, in print.</summary>
public static class ReportStyle
{
    public static string Text() => string.Join('\n', (string[])
    [
        Paper, .. InlinePlot.Style(), Page, Tables,
        "@media screen and (prefers-color-scheme:dark){:root{" + Dark + "}" + InlinePlot.DarkStyle() + "}",
        Print,
    ]);

    private const string Dark = "--paper:#12161a;--ink:#e8ebee;--soft:#9ba6b1;--rule:#272e35;--axis:#55606b;--fault:#ff8a5c;--wash:#191f25";

    private const string Paper = """
        :root{color-scheme:light dark;--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",Arial,sans-serif;--mono:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
        --paper:#fefefd;--ink:#1b1f23;--soft:#5c6670;--rule:#e6e8ea;--axis:#a4acb5;--fault:#c2410c;--wash:#f6f7f7}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 var(--sans);font-variant-numeric:tabular-nums}
        main{max-width:1064px;margin:0 auto;padding:clamp(24px,5vw,64px) clamp(16px,4vw,40px)}
        """;

    private const string Page = """
        header p{margin:0;max-width:68ch}
        .over{color:var(--soft);font-size:13px;letter-spacing:.06em;text-transform:uppercase}
        h1{font-size:clamp(28px,5vw,40px);line-height:1.15;letter-spacing:-.02em;font-weight:650;margin:4px 0 8px}
        h2{font-size:21px;letter-spacing:-.01em;font-weight:650;margin:64px 0 4px}
        h3{font-size:16px;font-weight:600;margin:0}
        .apart{margin-top:32px}
        .lead{font-size:18px}
        .facts{color:var(--soft);font-size:14px;margin-top:12px}
        .facts span{white-space:nowrap}
        .facts span:not(:last-child)::after{content:"·";margin:0 .15em 0 .4em}
        .note{color:var(--soft);font-size:14px;max-width:75ch;margin:0 0 16px}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,196px),1fr));gap:28px 32px;margin:40px 0 0;padding:0}
        .tile{border-top:1px solid var(--axis);padding-top:10px;min-width:0}
        .tile dt{color:var(--soft);font-size:13px}
        .tile dd{margin:0}
        .tile .big{font-size:28px;line-height:1.25;font-weight:600;letter-spacing:-.02em}
        .tile .small{color:var(--soft);font-size:13px;line-height:1.45}
        .alarm .big{color:var(--fault)}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:48px 48px;margin-top:24px}
        figure{margin:0;min-width:0}
        figcaption{color:var(--soft);font-size:13px;line-height:1.5;margin-top:6px}
        .legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:2px 0 8px;padding:0;font-size:13px;min-height:21px}
        .legend li{display:flex;align-items:center;gap:6px}
        .legend i{width:14px;height:3px;border-radius:2px;background:currentColor}
        .legend i.box{height:10px;width:10px;opacity:.82}
        .legend i.dashed{background:linear-gradient(90deg,currentColor 5px,transparent 5px,transparent 9px,currentColor 9px)}
        .legend span{color:var(--soft)}
        .letter{display:inline-block;min-width:22px;text-align:center;color:var(--fault);font-weight:650}
        pre{font:13px/1.55 var(--mono);background:var(--wash);border-radius:8px;padding:14px 16px;margin:0 0 16px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
        footer{color:var(--soft);font-size:13px;margin-top:64px;border-top:1px solid var(--rule);padding-top:16px}
        .books{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,280px),1fr));gap:28px 40px}
        """;

    private const string Tables = """
        .table{overflow-x:auto;margin:12px 0 0}
        table{border-collapse:collapse;font-size:14px;width:100%}
        th{color:var(--soft);font-weight:500;font-size:13px;text-align:left;vertical-align:bottom}
        th,td{padding:6px 16px 6px 0;border-bottom:1px solid var(--rule);white-space:nowrap}
        th:last-child,td:last-child{padding-right:0}
        .n{text-align:right}
        .wrap td:last-child{white-space:normal;overflow-wrap:anywhere}
        .wrap td:first-child{color:var(--soft);width:1%}
        .sum td{border-bottom:0;font-weight:600}
        """;

    private const string Print = """
        @media print{@page{margin:14mm}body{font-size:11pt}main{max-width:none;padding:0}h2{margin-top:28px;break-after:avoid}figure,.tile,tr{break-inside:avoid}.figures{grid-template-columns:1fr 1fr;gap:24px}.table{overflow:visible}.plot .hit{display:none}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
        """;
}
