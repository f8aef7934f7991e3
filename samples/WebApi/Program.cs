// A model in an ASP.NET Core application of your own: two lines.
//   dotnet run --project samples/WebApi -- --model runs/pets
//   curl --data-binary @photo.jpg http://localhost:5000/models/pets
using Vizsla.Studio;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddVizsla("pets", builder.Configuration["model"] ?? "runs/pets");

var app = builder.Build();
app.MapVizsla("/models");
app.Run();
