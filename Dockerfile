# The command line: docker build -t vizsla . && docker run --rm -v "$PWD:/work" vizsla quickstart
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Vizsla.Cli -c Release -r linux-x64 --no-self-contained -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
WORKDIR /work
ENTRYPOINT ["/app/Vizsla.Cli"]
