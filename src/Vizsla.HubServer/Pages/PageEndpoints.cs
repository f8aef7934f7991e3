using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Vizsla.Hub;
using Vizsla.HubServer.Accounts;
using Vizsla.HubServer.Api;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;
using Vizsla.HubServer.Storage;

namespace Vizsla.HubServer.Pages;

/// <summary>Pages for people: all repositories, and each with its card and files. Browsers log in with a user's name and a token as password.</summary>
internal sealed class PageEndpoints(HubDatabase database, RepositoryStore repositories, TreeStore trees, Gate gate)
{
    private const string Card = "README.md";
    private const long LargestCard = 1024 * 1024;

    /// <summary>Adds the pages.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/static/hub.css", () => Results.Text(StyleSheet.Css, "text/css; charset=utf-8"));
        routes.MapGet("/", (HttpContext context, PageEndpoints own) => own.Index(context, null));
        routes.MapGet("/{owner}", (HttpContext context, string owner, PageEndpoints own) => own.Index(context, owner));
        foreach (var root in new[] { "/{owner}/{name}", "/datasets/{owner}/{name}" })
        {
            routes.MapGet(root, (HttpContext context, RepoTarget? target, PageEndpoints own) => own.Show(context, target));
            routes.MapGet(root + "/tree/{*path}", (HttpContext context, RepoTarget? target, PageEndpoints own) => own.Show(context, target));
            routes.MapGet(root + "/commit/{*commit}", (HttpContext context, RepoTarget? target, PageEndpoints own) => own.Show(context, target));
            routes.MapGet(root + "/commits/{*revision}", (HttpContext context, RepoTarget? target, PageEndpoints own) => own.History(context, target));
            routes.MapGet(root + "/blob/{*path}", (HttpContext context, RepoTarget? target, PageEndpoints own) => own.ShowFile(context, target));
            routes.MapGet(root + "/discussions/{number:long}", (HttpContext context, RepoTarget? target, long number) =>
                Results.Redirect($"/{target!.Id}/tree/{Uri.EscapeDataString(ReferenceStore.Proposals + number.ToString(CultureInfo.InvariantCulture))}"));
        }
    }

    private IResult Index(HttpContext context, string? owner)
    {
        var caller = gate.CallerOf(context);
        var page = new PageWriter().Element("h1", owner ?? "Repositories");
        foreach (var (type, title) in new[] { (RepoType.Model, "Models"), (RepoType.Dataset, "Datasets") })
        {
            var seen = repositories.List(type, owner, null).Where(r => !r.IsPrivate || repositories.RoleOf(caller, r) is not TokenRole.None).ToList();
            page.Element("h2", $"{title} ({seen.Count})").Html("<ul>");
            foreach (var repository in seen)
            {
                page.Html("<li>").Link($"/{repository.Id}", repository.Id.Id);
                Badges(page, repository);
                page.Html("</li>");
            }

            page.Html("</ul>");
        }

        return page.ToResult(context, owner ?? "Vizsla Hub");
    }

    private IResult Show(HttpContext context, RepoTarget? target)
    {
        var repository = gate.Read(context, target);
        using var connection = database.Open();
        var commit = Revisions.Commit(connection, repository, target!.Revision);
        var revision = target.Revision.Length > 0 ? target.Revision : Revisions.Default;
        if (trees.Find(connection, commit.Tree, target.Path) is not { IsFolder: true } folder)
        {
            throw Refusal.NoPage();
        }

        var page = new PageWriter();
        Heading(page, repository, revision, target.Path);
        page.Html("<p class=\"quiet\">").Text($"{commit.Title}, by {commit.Author}, {commit.Date[..10]}, ").Link($"/{repository.Id}/commits/{Uri.EscapeDataString(revision)}", $"commit {commit.Id[..8]}").Html("</p>");
        if (target.Path.Length == 0)
        {
            ShowCard(page, connection, repository, commit, revision);
        }

        ShowFiles(page, repository, revision, target.Path, trees.Items(connection, folder.Oid));
        return page.ToResult(context, repository.Id.Id);
    }

    private IResult ShowFile(HttpContext context, RepoTarget? target)
    {
        var repository = gate.Read(context, target);
        return Results.Redirect(FileAddress(repository, target!.Revision, target.Path));
    }

    private IResult History(HttpContext context, RepoTarget? target)
    {
        const int Shown = 200;
        var repository = gate.Read(context, target);
        using var connection = database.Open();
        var head = Revisions.Commit(connection, repository, target!.Revision);
        var page = new PageWriter();
        Heading(page, repository, target.Revision, "");
        page.Html("<table><tr><th>commit</th><th>what</th><th>who</th><th>when</th></tr>");
        foreach (var commit in CommitStore.History(connection, repository, head.Id, 0, Shown))
        {
            page.Html("<tr><td>").Link($"/{repository.Id}/tree/{commit.Id}", commit.Id[..8]).Html("</td>").Element("td", commit.Title).Element("td", commit.Author).Element("td", commit.Date).Html("</tr>");
        }

        return page.Html("</table>").ToResult(context, repository.Id.Id);
    }

    private static void Heading(PageWriter page, Repository repository, string revision, string path)
    {
        page.Html("<h1>").Link($"/{repository.Id.Owner}", repository.Id.Owner!).Text(" / ").Link($"/{repository.Id}", repository.Id.Name).Html("</h1><p>");
        page.Element("span", repository.Id.TypeName, "tag");
        Badges(page, repository);
        page.Text(" ").Element("span", revision, "tag").Html("</p>");
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length > 0)
        {
            page.Html("<p>").Link(TreeAddress(repository, revision, ""), repository.Id.Name);
            for (var i = 0; i < parts.Length; i++)
            {
                page.Text(" / ").Link(TreeAddress(repository, revision, string.Join('/', parts[..(i + 1)])), parts[i]);
            }

            page.Html("</p>");
        }
    }

    private void ShowCard(PageWriter page, SqliteConnection connection, Repository repository, StoredCommit commit, string revision)
    {
        if (trees.Find(connection, commit.Tree, Card) is not { IsFolder: false, LargeOid: null, Size: <= LargestCard } file)
        {
            return;
        }

        var (metadata, html) = CardView.Render(Encoding.UTF8.GetString(BlobStore.Read(connection, file.Oid)), FileAddress(repository, revision, ""));
        if (metadata is not null)
        {
            page.Html("<details><summary>Metadata</summary>").Element("pre", metadata).Html("</details>");
        }

        page.Html("<article>").Html(html).Html("</article>");
    }

    private static void ShowFiles(PageWriter page, Repository repository, string revision, string path, IReadOnlyList<TreeItem> items)
    {
        page.Element("h2", "Files").Html("<table><tr><th>name</th><th>size</th><th>id</th></tr>");
        var prefix = path.Length > 0 ? path + "/" : "";
        foreach (var item in items.OrderBy(i => !i.IsFolder).ThenBy(i => i.Name, StringComparer.Ordinal))
        {
            page.Html("<tr><td>").Link(item.IsFolder ? TreeAddress(repository, revision, prefix + item.Name) : FileAddress(repository, revision, prefix + item.Name), item.Name + (item.IsFolder ? "/" : "")).Html("</td>")
                .Element("td", item.IsFolder ? "" : Size(item.Size), "size").Element("td", (item.LargeOid ?? item.Oid)[..12], "quiet").Html("</tr>");
        }

        page.Html("</table>");
    }

    private static void Badges(PageWriter page, Repository repository)
    {
        if (repository.IsPrivate)
        {
            page.Text(" ").Element("span", "private", "tag");
        }

        if (repository.IsGated)
        {
            page.Text(" ").Element("span", "gated", "tag");
        }
    }

    private static string TreeAddress(Repository repository, string revision, string path) => $"/{repository.Id}/tree/{Uri.EscapeDataString(revision)}{(path.Length > 0 ? "/" + Encoded(path) : "")}";

    private static string FileAddress(Repository repository, string revision, string path) => $"/{repository.Id}/resolve/{Uri.EscapeDataString(revision)}/{Encoded(path)}";

    private static string Encoded(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string Size(long bytes) => bytes switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };
}
